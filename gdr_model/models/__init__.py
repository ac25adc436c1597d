"""A model as a folder: configuration, weights, loading, downloading; networks live elsewhere."""
