"""What is said to one request: thinking, calls, answers, texts with a gap, and scores."""
