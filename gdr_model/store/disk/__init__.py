"""What the files of a store need of the disk."""
