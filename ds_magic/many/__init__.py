"""From one answer to many: what runs them, what keeps them, and what is seen of them together."""
