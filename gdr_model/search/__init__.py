"""From a steering to results, and their explanation; writes nothing but caches."""
