"""The model in memory: its file, llama.cpp, and tokens that are drawn one after the other."""
