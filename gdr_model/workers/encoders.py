"""How a process gets the encoder that it reads with."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.errors import ModelError
from gdr_model.types import AudioEncoder, LatentSpace


@dataclass(frozen=True)
class LoadEncoder:
    """Loads the audio encoder of a model onto one thread of the CPU; can be sent to a process."""

    model: str
    """The argument that names it."""
    space: LatentSpace | None = None
    """The space it has to write; another machine can have another encoder by that name."""

    MODULE = "gdr_model.workers.preloaded"
    """What takes long to import, and loads the encoder already where processes are forked."""

    def __call__(self) -> AudioEncoder:
        """Load it, unless the process this one was forked from has done so.

        Raises:
            ModelError: if its weights cannot be read, or are others than they should be.
        """
        import torch

        from gdr_model.models.checkpoint import load_encoder
        from gdr_model.workers.preloaded import ENCODERS

        torch.set_num_threads(1)
        encoder = ENCODERS.get(self.model) or load_encoder(self.model)
        if self.space not in (None, encoder.space):
            raise ModelError(f"the model {self.model} there has another audio encoder than here")
        return encoder
