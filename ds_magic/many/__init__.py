"""From one answer to many: what runs them, what they are kept in, and what is seen of them together."""
