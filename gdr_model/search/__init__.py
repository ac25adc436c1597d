"""From a steering to results, and what explains them; writes nothing but caches."""
