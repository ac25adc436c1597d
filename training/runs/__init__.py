"""A training run: configuration, space, batches, the trainer, its state and the model it leaves."""
