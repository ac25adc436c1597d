"""The main screen, and the session through which features reach the library."""
