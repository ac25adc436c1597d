"""The Textual app: a folder a feature; `main` composes them, `ui` knows none of them."""
