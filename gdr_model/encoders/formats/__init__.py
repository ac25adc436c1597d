"""Weights on disk, as gdr, transformers and other projects write them; no network of ours."""
