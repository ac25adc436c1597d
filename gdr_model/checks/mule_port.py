"""The PyTorch port of MULE, and its front end if the folder has sound."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from gdr_model.checks.case import Case, Compared, compared_decibels
from gdr_model.checks.watch import tensors, watching
from gdr_model.encoders.formats.gdr_folder import fill, sizes
from gdr_model.encoders.mule import frontend
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig

ATOL = 1e-5


def outputs(case: Case) -> Iterator[Compared]:
    """Network, front end, or both, depending on the inputs of the set."""
    arrays = tensors(case.arrays)
    if "input_logmel_db" in arrays:
        yield from case.compare(network(case, arrays["input_logmel_db"]), ATOL)
    if "torchaudio_mel_db" in arrays:
        samples = arrays["audio"]
        triangles = frontend.MEL.triangles()
        power = frontend.MEL.power(samples, triangles)
        yield from case.compare(
            {"torchaudio_fbanks": triangles, "torchaudio_mel_power": power[:, None]}, ATOL
        )
        yield compared_decibels(
            f"torchaudio_mel_db{case.suffix}",
            frontend.decibel_mel(samples)[:, None].numpy(),
            case.arrays["torchaudio_mel_db"],
            ATOL,
        )


def network(case: Case, mel: Tensor) -> dict[str, Tensor]:
    """All outputs from mel (B, 1, 96, 300) to embeddings, and embeddings in double precision."""
    net = MulePort(sizes(MulePortConfig, case.config, case.where))
    fill(net, tensors(case.weights), case.where)
    with watching(parts(net)) as seen:
        seen["embedding"] = net(mel)
    if "embedding_f64" in case.arrays:
        with watching({}):
            seen["embedding_f64"] = net.double()(mel.double())
    return seen


def parts(net: MulePort) -> dict[str, nn.Module]:
    """Parts of the network by the reference's names."""
    named: dict[str, nn.Module] = {"slow_stem_out": net.slow_stem, "fast_stem_out": net.fast_stem}
    named |= {f"fused{i}": fusion for i, fusion in enumerate(net.fusion_layers)}
    for path, stages in (("slow", net.slow_layers), ("fast", net.fast_layers)):
        for i, stage in enumerate(stages):
            named[f"{path}_stage{i}_out"] = stage
            transition = stage.get_submodule("blocks.0")
            block = f"{path}_stage{i}_block0"
            named |= {
                f"{block}_conv1_out": transition.get_submodule("residual_path.1"),
                f"{block}_se_out": transition.get_submodule("residual_path.4"),
                f"{block}_residual": transition.get_submodule("residual_path"),
                f"{block}_skip": transition.get_submodule("skip_path"),
            }
    return named
