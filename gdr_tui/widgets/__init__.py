"""What the user sees on the screen, one file a thing."""
