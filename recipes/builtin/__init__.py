"""The model that ships: its training sound, its encoder and the demo library."""
