"""MULE as published and as ported to PyTorch, two different networks; both read sound only."""
