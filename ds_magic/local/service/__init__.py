"""DeepSeek's protocol over HTTP: what may be asked, and how answers are written."""
