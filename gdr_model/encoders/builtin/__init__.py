"""The encoders of the built-in pair, and the contrastive tower; their weights are elsewhere."""
