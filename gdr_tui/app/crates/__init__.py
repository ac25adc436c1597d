"""Crates: tracks marked across queries, put in order, exported."""
