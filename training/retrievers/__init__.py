"""What a run becomes: a model that searches, with the tower that is fused with its draws."""
