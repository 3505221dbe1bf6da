"""From one answer to many: the journal that keeps exchanges, and what reads it."""
