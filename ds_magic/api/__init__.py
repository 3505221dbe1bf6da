"""The wire protocol: requests, responses, streaming. Knows nothing of notebooks."""
