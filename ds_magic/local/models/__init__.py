"""Any model on this machine: what it is called, where its file is, what it can do, and whether it fits."""
