"""The built-in encoder in ONNX Runtime: `python benchmarks/encoder_onnx.py [FOLDER]`.

Compares its network in torch, as gdr runs it, with ONNX Runtime in 32-bit floats and in 8-bit
integers calibrated on every second file: speed on one thread by processor time, from mel spectra on
and without decoding, and the cosines of latents in the search space with those of torch. FOLDER
has music, and is gdr's demo by default. Needs `pip install onnx onnxruntime`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gdr_model.audio import SUFFIXES, decode
from gdr_model.encoders.builtin import audio
from gdr_model.encoders.builtin.on_cpu import on_cpu
from gdr_model.models import checkpoint
from gdr_model.models.config import ModelConfig
from gdr_model.search.whitening import Whitening
from gdr_model.types import Array

DEMO = Path(__file__).parents[1] / "demo"
SECONDS = 120
"""Of each file, at most."""
ROUNDS = 3


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=DEMO, metavar="FOLDER", help="music (default: demo)"
    )
    parser.add_argument(
        "--files", type=int, default=12, metavar="N", help="how many files of it (default: 12)"
    )
    return parser


class Graph:
    """An ONNX graph that is written down node by node."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._values: list[Any] = []

    def value(self, array: Array | np.ndarray[Any, Any]) -> str:
        """Add a constant; returns its name."""
        name = f"value{len(self._values)}"
        self._values.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation; returns the name of its result."""
        name = f"node{len(self._nodes)}"
        made = self._onnx.helper.make_node(kind, list(inputs), [name], **attributes)
        self._nodes.append(made)
        return name

    def convolution(self, x: str, layer: Any, norm: Any) -> str:
        """Add a convolution with the batch norm that follows it folded into its weights."""
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = (layer.weight * scale[:, None, None, None]).detach().numpy()
        bias = (norm.bias - norm.running_mean * scale).detach().numpy()
        return self.node(
            "Conv", x, self.value(weight), self.value(bias),
            kernel_shape=layer.kernel_size, strides=layer.stride, pads=layer.padding * 2,
            group=layer.groups,
        )  # fmt: skip

    def save(self, path: Path, result: str) -> None:
        """Write it as a model from `mel` to `result`."""
        make, number = self._onnx.helper, self._onnx.TensorProto.FLOAT
        mel = make.make_tensor_value_info("mel", number, [1, 1, None, audio.MELS])
        frames = make.make_tensor_value_info(result, number, [1, None, 512])
        graph = make.make_graph(self._nodes, "encoder", [mel], [frames], self._values)
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)])
        model.ir_version = 9
        self._onnx.save(model, path)


def write(onnx: Any, net: Any, path: Path) -> None:
    """Write what is costly of the network: levelled mel (1, 1, F, MELS) to frames (1, F', 512)."""
    graph = Graph(onnx)
    x = graph.node("Relu", graph.convolution("mel", net.stem[0], net.stem[1]))
    for block in net.blocks:
        y = graph.node("Relu", graph.convolution(x, block.body[0], block.body[1]))
        y = graph.convolution(y, block.body[3], block.body[4])
        x = graph.node("Relu", graph.node("Add", y, x) if block.residual else y)
    flat = graph.node("Transpose", x, perm=[0, 2, 1, 3])
    flat = graph.node("Reshape", flat, graph.value(np.array([0, 0, 2048], np.int64)))
    linear: nn.Linear = net.squeeze[0]
    product = graph.node("MatMul", flat, graph.value(linear.weight.detach().numpy().T))
    total = graph.node("Add", product, graph.value(linear.bias.detach().numpy()))
    graph.save(path, graph.node("Relu", total))


def spectra(folder: Path, count: int) -> list[Tensor]:
    """The log-mel (1, F, MELS) of some files of a folder, at their normal loudness."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    found = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        samples = np.asarray(decode(path, audio.SAMPLE_RATE_HZ).samples[:], np.float32)
        seconds = min(SECONDS, len(samples) // audio.SAMPLE_RATE_HZ)
        samples = audio.normalise_loudness(samples[: seconds * audio.SAMPLE_RATE_HZ])
        found.append(audio.log_mel(torch.from_numpy(samples)[None]))
    return found


def timed(encode: Callable[[Tensor], Array], mels: list[Tensor]) -> tuple[float, list[Array]]:
    """How many times real time it is on one thread, the best of some rounds, and its latents."""
    seconds = sum(mel.shape[1] for mel in mels) / audio.FRAMES_PER_S
    latents = [encode(mel) for mel in mels]
    took = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for mel in mels:
            encode(mel)
        took.append(time.process_time() - begun)
    return seconds / min(took), latents


def cosines(these: list[Array], those: list[Array], whitening: Whitening) -> tuple[float, float]:
    """The mean cosine of latents in the search space, and the least of the files' means."""
    single, means = [], []
    for mine, other in zip(these, those, strict=True):
        single.append((whitening.apply(mine) * whitening.apply(other)).sum(-1))
        means.append(whitening.apply(mine.mean(0)) @ whitening.apply(other.mean(0)))
    return float(np.concatenate(single).mean()), float(min(means))


def models(net: Any, mels: list[Tensor], folder: Path) -> Iterator[tuple[str, Any]]:
    """ONNX Runtime with the network in floats, then in integers; a name and a session each."""
    onnx, runtime = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
    quantization = importlib.import_module("onnxruntime.quantization")
    one = runtime.SessionOptions()
    one.intra_op_num_threads = one.inter_op_num_threads = 1
    one.log_severity_level = 3

    def session(path: Path) -> Any:
        return runtime.InferenceSession(path, one, providers=["CPUExecutionProvider"])

    floats, integers = folder / "floats.onnx", folder / "integers.onnx"
    write(onnx, net, floats)
    yield "ONNX Runtime, float32", session(floats)
    samples = iter([{"mel": audio.levelled(mel)[:, :, :1920].numpy()} for mel in mels[::2]])

    class Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Array] | None:
            return next(samples, None)

    logging.disable(logging.WARNING)  # it recommends what changes nothing here
    quantization.quantize_static(
        floats, integers, Samples(),
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )  # fmt: skip
    yield "ONNX Runtime, int8", session(integers)


def main(folder: Path, count: int) -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    encoder: Any = checkpoint.load_encoder("builtin")
    net, projection = encoder.net, encoder.projection
    whitening = ModelConfig.read().whitening()
    mels = spectra(folder, count)
    in_torch = on_cpu(net)

    def by_torch(mel: Tensor) -> Array:
        return np.asarray((in_torch(mel)[0] @ projection).numpy())

    with torch.inference_mode(), tempfile.TemporaryDirectory() as made:
        speed, wanted = timed(by_torch, mels)
        print("| | × real time | cosine of latents | of files, least |")
        print("|---|---|---|---|")
        print(f"| torch | {speed:,.0f} | 1 | 1 |", flush=True)
        for name, session in models(net, mels, Path(made)):

            def by_onnx(mel: Tensor, session: Any = session) -> Array:
                (frames,) = session.run(None, {"mel": audio.levelled(mel).numpy()})
                pooled = audio.pool_windows(torch.from_numpy(frames).transpose(1, 2))
                return np.asarray((net.head(pooled)[0] @ projection).numpy())

            speed, latents = timed(by_onnx, mels)
            single, least = cosines(latents, wanted, whitening)
            print(f"| {name} | {speed:,.0f} | {single:.5f} | {least:.5f} |", flush=True)


if __name__ == "__main__":
    arguments = options().parse_args()
    missing = [n for n in ("onnx", "onnxruntime") if not importlib.util.find_spec(n)]
    if missing:
        sys.exit(f"{' and '.join(missing)} not installed; pip install {' '.join(missing)}")
    main(arguments.folder, arguments.files)
