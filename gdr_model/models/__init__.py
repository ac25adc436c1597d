"""A model as a folder: configuration, weights, loading, downloading; networks are elsewhere."""
