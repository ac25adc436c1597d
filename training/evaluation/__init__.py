"""What `gdr eval` runs: retrieval, fidelity and control, and the baselines beside them."""
