"""Every query as a tree: go back, branch, name, compare, save."""
