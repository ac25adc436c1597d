"""The names of the tensors in the UNet of the method's authors.

Every level is nested in the one above it, and the parts of a level are numbered; the numbers
follow from how many items a level has and whether they attend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ROOT = "unet.blocks.1.blocks"
BOTH = ("weight", "bias")


def unet_keys(items: Sequence[int], attentions: Sequence[int]) -> dict[str, str]:
    """Our name of every tensor to theirs.

    The linear map that they apply twice has a second name, `{ROOT}.1.blocks.1.0`, which is left
    out.
    """
    keys = {"null": "unet.blocks.0.blocks.0.weight", "frequencies": f"{ROOT}.0.weights"}
    keys |= _pairs("time_in", f"{ROOT}.0.to_out")
    keys |= _pairs("time_again", f"{ROOT}.1.blocks.0.0")
    block = f"{ROOT}.2.net"
    for depth, (count, attends) in enumerate(zip(items, attentions, strict=True)):
        ours, theirs = f"levels.{depth}", f"{block}.block.blocks"
        keys |= _pairs(f"{ours}.down", f"{theirs}.0.block")
        keys |= _pairs(f"{ours}.merge", f"{block}.skip.blocks.0")
        position = 1
        for side in ("before", "after"):
            for item in range(count):
                for ours_part, theirs_part in _item(bool(attends), theirs, position):
                    keys[f"{ours}.{side}.{item}.{ours_part}"] = theirs_part
                position += 4 if attends else 2
            if side == "before" and depth + 1 < len(items):
                block = f"{theirs}.{position}"
                position += 1
        keys |= _pairs(f"{ours}.up", f"{theirs}.{position}.block.1")
    return keys


def _pairs(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.{part}": f"{theirs}.{part}" for part in BOTH}


def _item(attends: bool, theirs: str, position: int) -> Iterator[tuple[str, str]]:
    """(our name within the item, their full name) of an item's tensors."""
    for half in range(2):
        resnet = f"{theirs}.{position}.block.blocks.0.blocks.{half}"
        for name, number in (("norm", 0), ("conv", 2)):
            yield from _pairs(f"resnet.{name}{half + 1}", f"{resnet}.{number}").items()
    modulation = f"{theirs}.{position + 1}.blocks.0.block.blocks.0.1"
    yield from _pairs("modulation", modulation).items()
    if not attends:
        return
    for offset, attention in enumerate(("self_attention", "cross_attention"), start=2):
        block = f"{theirs}.{position + offset}.blocks.0.block"
        for norm in ("norm", "norm_context"):
            yield from _pairs(f"{attention}.{norm}", f"{block}.{norm}").items()
        for name, theirs_name in (("q", "to_q"), ("kv", "to_kv"), ("out", "attention.blocks.0")):
            yield f"{attention}.{name}.weight", f"{block}.{theirs_name}.weight"
