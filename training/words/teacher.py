"""The teacher: YAMNet applied to every second of a track, in floats.

The published network is quantised to int8 up to its output: posteriors come in steps of 1/256, and
nine tenths of them are exactly zero, so the rarer classes have no order to learn from. The
embedding before the last layer keeps more, and that layer is small enough to recompute in float:
`logits = embedding @ weight + bias`.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.errors import Hint, ModelError
from gdr_model.types import Array

WINDOW = 15_600
"""Samples per input of the network (0.975 s)."""
CLASSES = 521
EMBEDDING = 1024
MUSIC = slice(133, 277)
"""Classes of music: instruments, genres, moods."""
VOICE = slice(24, 33)
"""Classes of human sounds that are singing, choir, rapping and the like."""
_EMBEDDING, _WEIGHT, _BIAS = 115, 116, 117
"""Tensors of the published file: pooled features, and the last layer."""


def shared() -> Path:
    """The folder of shared data.

    Raises:
        FileNotFoundError: if `GDR_SHARED` names none.
    """
    folder = Path(os.environ.get("GDR_SHARED", ""))
    if not os.environ.get("GDR_SHARED") or not folder.is_dir():
        raise FileNotFoundError("set GDR_SHARED to the folder of shared data (teacher/, data/)")
    return folder


def labels() -> list[str]:
    """Names of the classes, in order."""
    text = (shared() / "teacher" / "yamnet_labels.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


class Teacher:
    """YAMNet on one thread."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            ModelError: if the package that runs it is not installed.
            FileNotFoundError: if `GDR_SHARED` does not name its folder.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(
                "the teacher needs ai-edge-litert, which is not installed",
                Hint.INSTALL,
                package="ai-edge-litert",
            ) from error
        with warnings.catch_warnings():
            # It warns that keeping tensors is for debugging; the embedding is one of them.
            warnings.simplefilter("ignore", UserWarning)
            self.network: Any = Interpreter(
                model_path=str(shared() / "teacher" / "yamnet.tflite"),
                experimental_preserve_all_tensors=True,
                num_threads=1,
            )
        self.network.allocate_tensors()
        details = {d["index"]: d for d in self.network.get_tensor_details()}
        self.scale, self.zero = details[_EMBEDDING]["quantization"]
        self.weight = self._dequantised(details[_WEIGHT]).reshape(CLASSES, EMBEDDING).T
        self.bias = self._dequantised(details[_BIAS]).reshape(CLASSES)
        self.inlet = self.network.get_input_details()[0]

    def _dequantised(self, detail: dict[str, Any]) -> Array:
        scale, zero = detail["quantization"]
        stored = self.network.get_tensor(detail["index"]).astype(np.float32)
        return np.asarray((stored - zero) * scale, dtype=np.float32)

    def __call__(self, samples: Array) -> tuple[Array, Array]:
        """Loudness-normalised samples (N,) at 16 kHz to logits (T, 521), embeddings (T, 1024).

        T = N // 16000: a window begins at every whole second.
        """
        seconds = len(samples) // SAMPLE_RATE_HZ
        embeddings = np.empty((seconds, EMBEDDING), np.float32)
        shape = self.inlet["shape"]
        for second in range(seconds):
            window = samples[second * SAMPLE_RATE_HZ :][:WINDOW]
            self.network.set_tensor(self.inlet["index"], window.reshape(shape).astype(np.float32))
            self.network.invoke()
            stored = self.network.get_tensor(_EMBEDDING).astype(np.float32).reshape(EMBEDDING)
            embeddings[second] = (stored - self.zero) * self.scale
        return embeddings @ self.weight + self.bias, embeddings
