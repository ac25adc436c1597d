"""Recordings: one line for each, whatever the number of its files."""
