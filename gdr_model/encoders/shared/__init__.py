"""What encoders have in common: windows of sound, mel spectrograms, reading prompts."""
