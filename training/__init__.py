"""What it takes to teach the models: data, training, evaluation and export."""
