"""Results that follow the typing."""
