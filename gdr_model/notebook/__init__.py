"""What the user made and no index can give back: trails, crates, saved sessions."""
