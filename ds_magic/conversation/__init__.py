"""Conversations that survive running cells again, Python functions as tools, and answers as typed objects."""
