"""The row under the prompt: what steers besides it, and which moves come next."""
