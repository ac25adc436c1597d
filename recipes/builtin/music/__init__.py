"""Our own composer, which renders music whose facts are known."""
