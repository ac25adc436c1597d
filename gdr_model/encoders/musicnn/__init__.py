"""musicnn, a tagger that learned listeners' tags: its network, and its weights from the wheel."""
