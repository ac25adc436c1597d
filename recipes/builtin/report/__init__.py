"""The model that ships, measured, and the card that says so."""
