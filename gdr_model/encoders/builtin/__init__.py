"""The networks of the model that ships: sound, text, and the contrastive tower."""
