"""The language of prompts: the same in the app and on the command line."""
