"""MusCALL, which reads sound and words, and the conversion of its checkpoint."""
