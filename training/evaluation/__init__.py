"""What `gdr eval` measures: retrieval, fidelity and control, with their baselines."""
