"""A package, so that its Jupyter server and its browser end with its last test: see conftest.py."""
