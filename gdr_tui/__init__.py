"""What the terminal sees: the `gdr` command and its app."""
