"""What goes beyond one answer: branches, sweeps, batches."""
