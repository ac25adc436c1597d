"""Which encoder pairs exist, what a name refers to, and what can be converted; no torch."""
