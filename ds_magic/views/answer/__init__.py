"""What is read: an answer while it comes, as a notebook keeps it, and in a terminal."""
