"""Prompt, chips and results: the query being put together, and what it found."""
