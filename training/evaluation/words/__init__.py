"""What captions without their sound add."""
