"""Diffusion over latents: denoiser, schedule, guidance, sampler and inversion live apart.

Letters are the papers': x a noisy state, x0 clean, eps noise, a the cumulative alpha, v the
velocity sqrt(a) eps - sqrt(1 - a) x0 (Salimans & Ho 2022).
"""
