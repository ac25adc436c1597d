"""The composer and its renders, music whose facts are known, and the demo library; no voices."""
