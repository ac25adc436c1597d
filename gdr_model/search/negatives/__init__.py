"""What negatives do to a ranking."""
