"""Training sound: fetched, decoded, labelled, varied, described; its latents and captions.

Sound that we make ourselves comes from `recipes.builtin.music` and `recipes.builtin.voices`.
"""
