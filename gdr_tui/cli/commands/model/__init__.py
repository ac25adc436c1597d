"""`gdr model`: list, show, pull, convert and check models and weights, one file per command."""
