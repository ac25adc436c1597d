"""The tags of sound files."""
