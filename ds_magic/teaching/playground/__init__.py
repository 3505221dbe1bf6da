"""The playground: a question with its settings in a form, its answer below, and the cell that asks the same."""
