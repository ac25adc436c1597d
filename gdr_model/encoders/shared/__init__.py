"""Parts that several encoders use: windows of sound, mel spectrograms, the reading of prompts."""
