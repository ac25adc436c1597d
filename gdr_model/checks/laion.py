"""laion-clap's own outputs, by the network that its checkpoint is converted to."""

from __future__ import annotations

from collections.abc import Iterator

from torch.nn import functional as F

from gdr_model.checks.case import Case, Compared
from gdr_model.checks.clap import ATOL, hear, read, spectrogram, towers, weights


def outputs(case: Case) -> Iterator[Compared]:
    """Spectrogram, and what both towers give on the way to their embeddings."""
    with towers(case, weights(case)) as found:
        sounds, words = hear(case, found), read(case, found)
    yield from spectrogram(case, "laion_logmel", sounds["level"])
    named = {
        "laion_htsat_pooled": sounds["pooled"],
        "laion_audio_projection": sounds["projection"],
        "laion_audio_embed": F.normalize(sounds["projection"]),
        "laion_text_last_hidden": words["states"],
        "laion_text_pooler": words["pooled"],
        "laion_text_embed": F.normalize(words["projection"]),
    }
    yield from case.compare(named, ATOL)
