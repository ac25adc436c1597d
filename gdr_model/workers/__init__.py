"""Reading files: tags, sound and latents, in this process or in several that can die."""
