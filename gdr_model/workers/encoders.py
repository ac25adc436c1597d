"""How a process gets the encoder that it reads with."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.types import AudioEncoder


@dataclass(frozen=True)
class LoadEncoder:
    """Loads the audio encoder of a model onto one thread of the CPU; can be sent to a process."""

    model: str
    """The argument that names it."""

    MODULE = "gdr_model.models.checkpoint"
    """What takes long to import."""

    def __call__(self) -> AudioEncoder:
        """Load it.

        Raises:
            ModelError: if its weights cannot be read.
        """
        import torch

        from gdr_model.models.checkpoint import load_encoder

        torch.set_num_threads(1)
        return load_encoder(self.model)
