"""Audio and text encoders, one file each."""
