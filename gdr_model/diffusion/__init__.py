"""Diffusion over latents: denoisers, schedule, guidance, samplers, inversion, losses; no text.

Text comes in as embeddings (`encoders`); what a query draws is decided in `search`. Letters are
the papers': x a noisy state, x0 clean data, eps noise, a the cumulative alpha, v the velocity
sqrt(a) eps - sqrt(1 - a) x0 (Salimans & Ho 2022).
"""
