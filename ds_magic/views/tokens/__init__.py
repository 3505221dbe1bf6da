"""What is seen of token probabilities: tints, tables, branches, and the explorer."""
