"""For a lesson: what is asked of a class before the model's answer is looked at."""
