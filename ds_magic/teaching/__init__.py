"""For a lesson: what a class does with answers beside reading them."""
