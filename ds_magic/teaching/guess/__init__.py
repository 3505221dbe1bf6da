"""Guess first: the words of an answer hidden, to be guessed one after another, or to be voted on by a class."""
