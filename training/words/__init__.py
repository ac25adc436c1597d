"""Words for music: what a tagger hears, its classes' names, and captions generated from them."""
