"""The screens: the one to search in, and the ones that open over it."""
