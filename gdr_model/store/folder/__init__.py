"""A music folder as it is on disk: what in it is music, what is left out, what is there now."""
