"""The embedded server: a real model behind DeepSeek's protocol, in a process of its own.

Here is what starts it, finds it and fits it into the machine; `models` has where its file is, `engine` the model in
memory, `answers` what is said to a request, `service` the protocol over HTTP.
"""
