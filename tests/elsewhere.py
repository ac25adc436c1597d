"""A stand-in for an accelerator: a device apart from the processor, on machines without one.

Its tensors are computed by the processor, but count as being on another device: an operation on
tensors of both is refused as CUDA refuses it, numpy cannot read them, and there is no double
precision, as on a Mac's GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "elsewhere"
MOVES = (
    torch.ops.aten._to_copy.default,
    torch.ops.aten.copy_.default,
    torch.ops.aten._pin_memory.default,
)


LIBRARY = torch.library.Library("aten", "IMPL")


class _Module(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


@cache
def device() -> torch.device:
    """The device; torch knows its name from now on."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Module())
    # Lists of numbers become tensors of the device without asking Python: x[:, [0, -1]].
    LIBRARY.impl("empty_strided", _empty, "PrivateUse1")
    LIBRARY.impl("_copy_from", _copied, "PrivateUse1")
    return torch.device(NAME, 0)


def _empty(size: Any, stride: Any, *, dtype: Any = None, **_: object) -> Tensor:
    return Remote(torch.empty_strided(size, stride, dtype=dtype))


def _copied(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _bare(target).copy_(_bare(source))
    return target


class Remote(Tensor):
    """A tensor on the device."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> Remote:
        if held.dtype in (torch.float64, torch.complex128):
            raise TypeError(f"{NAME} has no double precision")
        made = Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=device(),
        )
        made.held = held
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Remote({self.held})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})


class _Everywhere(TorchDispatchMode):
    """Sees the operations that make tensors, too."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    remote = [t for t in tensors if isinstance(t, Remote)]
    # Like CUDA, it takes numbers (tensors without dimensions) from the processor.
    local = [t for t in tensors if not isinstance(t, Remote) and t.dim()]
    indexed = func is torch.ops.aten.index.Tensor and isinstance(args[0], Remote)
    if remote and local and func not in MOVES and not indexed:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, "
            f"{NAME}:0 and cpu! ({func})"
        )
    given = kwargs.get("device")
    there = bool(remote) if given is None else torch.device(given).type == NAME
    if given is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if func is torch.ops.aten.copy_.default:
        func(*tree_map(_bare, args))
        return args[0]
    found = func(*tree_map(_bare, args), **tree_map(_bare, kwargs))
    return tree_map(_wrapped, found) if there else found


def _bare(value: Any) -> Any:
    return value.held if isinstance(value, Remote) else value


def _wrapped(value: Any) -> Any:
    return Remote(value) if isinstance(value, Tensor) else value


@contextmanager
def standing_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The device; what asks for any but the processor gets it."""
    from gdr_model.models import checkpoint

    where = device()
    here = torch.device("cpu")
    monkeypatch.setattr(checkpoint, "pick_device", lambda name: here if name == "cpu" else where)
    # Views of such tensors cannot be made in inference mode.
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)
    with _Everywhere():
        yield where
