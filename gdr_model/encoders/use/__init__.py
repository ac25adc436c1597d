"""Google's Universal Sentence Encoder, multilingual v3: text of 16 languages to one vector."""
