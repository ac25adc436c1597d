"""Google's Universal Sentence Encoder, multilingual v3: text of 15 languages to one vector."""
