"""Encoders of sound and text, one folder or file each; `registry` pairs them, `shared` serves all.

Denoisers are in `diffusion`; where weights are kept and checked is in `models`.
"""
