"""How the things that gdr ships were made; no package imports it, and no wheel includes it."""
