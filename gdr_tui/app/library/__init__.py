"""What the libraries hold, what could not be read, and indexing paused and resumed."""
