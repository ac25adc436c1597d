"""The sound that the built-in encoder learns from: fetched, decoded, labelled, varied."""
