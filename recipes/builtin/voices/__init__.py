"""Synthesised voices that sing, rap and speak over music."""
