"""The `gdr` command: what its commands share. Each command has its own file in `commands`."""
