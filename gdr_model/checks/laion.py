"""laion-clap's own outputs, compared with those of the converted network."""

from __future__ import annotations

from collections.abc import Iterator

from torch.nn import functional as F

from gdr_model.checks.case import Case, Compared
from gdr_model.checks.clap import (
    ATOL,
    audio_outputs,
    spectrogram,
    text_outputs,
    towers,
    weights,
)


def outputs(case: Case) -> Iterator[Compared]:
    """Spectrogram, and the intermediate outputs and embeddings of both towers."""
    with towers(case, weights(case)) as converted:
        audio, text = audio_outputs(case, converted), text_outputs(case, converted)
    yield from spectrogram(case, "laion_logmel", audio["level"])
    named = {
        "laion_htsat_pooled": audio["pooled"],
        "laion_audio_projection": audio["projection"],
        "laion_audio_embed": F.normalize(audio["projection"]),
        "laion_text_last_hidden": text["states"],
        "laion_text_pooler": text["pooled"],
        "laion_text_embed": F.normalize(text["projection"]),
    }
    yield from case.compare(named, ATOL)
