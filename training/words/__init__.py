"""Words for music: a tagger, words for its classes, and captions generated from them."""
