"""The kinds of index a user can choose."""

from __future__ import annotations

from functools import partial

from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed.protocol import Opener
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.index import MilvusIndex, Trouble


def opener(name: str, trouble: Trouble = lambda why: None, *, strict: bool = True) -> Opener:
    """What opens the index of a name: `local`, or `milvus:` and where it is.

    Args:
        name: of the index.
        trouble: called with why an index answers on this machine instead.
        strict: whether searches fail if a server does.

    Raises:
        UsageError: if there is no index of this name.
    """
    address = Address.of(name)
    if address is None:
        return HnswIndex.open
    return partial(MilvusIndex.open, address=address, trouble=trouble, strict=strict)
