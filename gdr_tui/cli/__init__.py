"""The `gdr` command: what all commands share. Each command has a file of its own in `commands`."""
