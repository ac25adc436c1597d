"""Which encoder pairs exist, what `--model` resolves to, what can be converted; no torch."""
