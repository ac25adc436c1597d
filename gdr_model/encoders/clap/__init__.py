"""CLAP, from the hub's folder or from laion-clap's own checkpoint."""
