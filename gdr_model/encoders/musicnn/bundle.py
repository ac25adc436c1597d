"""TensorFlow's bundles of variables, read without TensorFlow.

A bundle is two files: `.index`, a sorted table of names with the type, shape and place of each
variable, and `.data-00000-of-00001`, their numbers one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gdr_model.errors import ModelError
from gdr_model.types import Array

INDEX, DATA = ".index", ".data-00000-of-00001"
MAGIC = bytes.fromhex("57fb808b247547db")
"""The last bytes of a table."""
FOOTER = 48
"""Bytes at the end of a table: the places of two blocks, each in two numbers, and `MAGIC`."""
FLOAT = 1
"""The type of a variable in single precision."""


@dataclass(frozen=True)
class Variable:
    """What the table says of a variable."""

    kind: int
    shape: tuple[int, ...]
    offset: int
    size: int


def read(index: bytes, data: bytes, where: str) -> dict[str, Array]:
    """The variables in single precision, by name; those of the optimiser are among them.

    Raises:
        ModelError: if the files are no bundle, or damaged; it names `where`.
    """
    if len(index) < FOOTER or index[-len(MAGIC) :] != MAGIC:
        raise ModelError(f"{where} has no table of TensorFlow's in {INDEX}, or it is truncated")
    try:
        table = dict(variables(index))
        return {name: array(data, v) for name, v in table.items() if v.kind == FLOAT}
    except (IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{where} is a damaged bundle of TensorFlow's: {error}") from error


def variables(index: bytes) -> Iterator[tuple[str, Variable]]:
    """Names and descriptions of the variables in a table.

    Raises:
        ValueError: if there is something else in its place,
        IndexError, KeyError, TypeError: or it ends too early.
    """
    _, _, start, size = _numbers(index[-FOOTER:], 4)
    for _, place in _entries(_block(index, start, size)):
        start, size = _numbers(place, 2)
        for key, value in _entries(_block(index, start, size)):
            if key:  # the first entry describes the bundle
                yield key.decode(), _variable(value)


def array(data: bytes, variable: Variable) -> Array:
    """The numbers of a variable.

    Raises:
        ValueError: if they are not all there.
    """
    count = math.prod(variable.shape)
    if variable.size != 4 * count or variable.offset + variable.size > len(data):
        raise ValueError(f"{DATA} does not hold the {count:,} numbers of a variable")
    numbers = np.frombuffer(data, "<f4", count, variable.offset)
    return numbers.reshape(variable.shape).astype(np.float32)


def _block(index: bytes, start: int, size: int) -> bytes:
    if start + size >= len(index):
        raise ValueError(f"{INDEX} is cut short")
    if index[start + size]:
        raise ValueError(f"{INDEX} is compressed")
    return index[start : start + size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; a key repeats only what differs from the one before it."""
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 - 4 * restarts, 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _variable(message: bytes) -> Variable:
    found = dict(_fields(message))
    sizes = [dict(_fields(_bytes(value))) for n, value in _fields(_bytes(found.get(2, b"")))]
    shape = tuple(_int(size.get(1, 0)) for size in sizes)
    return Variable(_int(found[1]), shape, _int(found.get(4, 0)), _int(found.get(5, 0)))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields, of the kinds that a bundle has."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        else:  # a checksum
            yield tag >> 3, message[at : at + 4]
            at += 4


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise TypeError("a number is missing")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a shape is missing")
    return value


def _numbers(message: bytes, count: int) -> tuple[int, ...]:
    found, at = [], 0
    for _ in range(count):
        value, at = _varint(message, at)
        found.append(value)
    return tuple(found)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
