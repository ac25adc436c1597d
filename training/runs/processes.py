"""One run on several processes, on one machine or many, as torchrun starts them.

A configuration's batch is the whole batch. Every process makes all of it, learns from its share of
the rows, and the gradients are averaged (torch's DistributedDataParallel), so a run has the same
losses on any number of processes, up to the order of sums; only dropout masks differ. The first
process alone validates and writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.nn import functional as differentiable
from torch.nn.parallel import DistributedDataParallel

from gdr_model.errors import UsageError


@dataclass(frozen=True)
class Processes:
    """A process among those of a run."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the run's folder and reports."""
        return self.rank == 0

    def share(self, size: int) -> slice:
        """The rows of a whole batch that this process learns from.

        Raises:
            UsageError: if the processes cannot have equally many.
        """
        if size % self.count:
            raise UsageError(
                f"a batch of {size} cannot be shared equally by {self.count} processes; "
                "start a number of processes that divides it"
            )
        rows = size // self.count
        return slice(self.rank * rows, (self.rank + 1) * rows)

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows (B / count, ...) of all processes in their order (B, ...), with gradients."""
        if self.count == 1:
            return rows
        parts = differentiable.all_gather(rows.contiguous())  # type: ignore[no-untyped-call]
        return torch.cat(parts)

    def averaging(self, net: nn.Module, loss_of: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """`loss_of`, whose gradients for the network are then means over the processes."""
        if self.count == 1:
            return loss_of
        # A step can leave a parameter without a gradient: the null, where every row has words.
        return DistributedDataParallel(_Loss(net, loss_of), find_unused_parameters=True)

    def mean(self, value: float) -> float:
        """The mean of every process's value."""
        return self._reduced(value, dist.ReduceOp.SUM) / self.count

    def any(self, flag: bool) -> bool:
        """Whether it holds in any process."""
        return bool(self._reduced(float(flag), dist.ReduceOp.MAX))

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            dist.barrier()

    def _reduced(self, value: float, how: dist.ReduceOp.RedOpType) -> float:
        if self.count == 1:
            return value
        on = "cuda" if dist.get_backend() == "nccl" else "cpu"
        total = torch.tensor(value, dtype=torch.float64, device=on)
        dist.all_reduce(total, how)
        return float(total)


ALONE = Processes()
_PATIENCE = timedelta(hours=2)


class _Loss(nn.Module):
    """A loss as a module, which is what is averaged over processes."""

    def __init__(self, net: nn.Module, loss_of: Callable[..., Tensor]) -> None:
        super().__init__()
        self.net = net
        self.loss_of = loss_of

    def forward(self, *args: object) -> Tensor:
        return self.loss_of(*args)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started, if it started this one; leave them at the end.

    `device` decides how they talk: NCCL between GPUs, of which each process of a machine gets its
    own, or Gloo between CPUs.
    """
    if not dist.is_torchelastic_launched() or int(os.environ["WORLD_SIZE"]) == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # The others wait while the first validates, which can take longer than NCCL's ten minutes.
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
