"""CLAP, from a folder of transformers or a checkpoint of laion-clap; it reads sound and words."""
