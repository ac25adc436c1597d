"""Which pairs there are, where weights lie, and how foreign ones are converted; no network."""
