"""Synthesised voices that sing, rap and speak over music; the music itself is made elsewhere."""
