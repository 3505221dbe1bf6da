"""The embedded server: a small real model behind DeepSeek's protocol, in a process of its own."""
