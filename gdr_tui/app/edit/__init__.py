"""Invert a result and draw it again under an edited prompt, with a live preview."""
