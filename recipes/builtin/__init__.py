"""The recipe of the built-in model and the demo library. General training code is in `training`."""
