"""Text to the 128,000 pieces of the encoder's vocabulary, as sentencepiece splits it.

Characters are replaced by the trie of the model file (NFKC and some more), white space becomes the
mark of a word, and of all ways to split the result into pieces the most likely is taken (unigram).
Libraries do the same, but take half a second or more to build tables of the whole vocabulary. Here
pieces are only looked up, so the file is ready in 60 ms.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np

UNKNOWN, BEGIN, END = range(3)
_SPACE = "▁".encode()
_LONGEST = 16
"""Characters of the longest piece."""
_PENALTY = 10.0
"""By how much an unknown character is less likely than the least likely piece."""
_PIECE = re.compile(rb"\n.\n.([^\x15]+)\x15.{4}", re.DOTALL)
_SCORE = re.compile(rb"\n.\n.[^\x15]+\x15(.{4})", re.DOTALL)
"""Messages of the model file: the text of a piece, and its log-likelihood."""
_REPLACEMENTS = re.compile(rb"nmt_nfkc\x12[\x80-\xff]*[\x00-\x7f]")
"""What the table of replacements follows."""


class Pieces:
    """The tokenizer of the published model file."""

    def __init__(self, model: bytes) -> None:
        names = _PIECE.findall(model)
        self._number = dict(zip(names, range(len(names)), strict=True))
        self._scores = np.frombuffer(b"".join(_SCORE.findall(model)), "<f4")
        self._unknown = float(self._scores.min()) - _PENALTY
        self._replaced = _Replacements(model)

    def of(self, text: str) -> list[int]:
        """The numbers of a text's pieces; none for no text."""
        marked = self._marked(text)
        if not marked:
            return [UNKNOWN] if text else []
        return self._split(marked)

    def _marked(self, text: str) -> bytes:
        """A text with its characters replaced, and the mark before each of its words."""
        plain = b"".join(self._replaced.in_(text.encode("utf-8", "replace")))
        marked = b"".join(_SPACE + word for word in plain.split(b" ") if word)
        while marked.endswith(_SPACE):
            marked = marked.removesuffix(_SPACE)
        return marked

    def _split(self, text: bytes) -> list[int]:
        """The most likely pieces: the best way to each character's end, the shorter of equals."""
        at = [i for i, byte in enumerate(text) if _begins(byte)] + [len(text)]
        best: dict[int, tuple[float, int, int]] = {0: (0.0, 0, UNKNOWN)}
        for i, begin in enumerate(at[:-1]):
            before = best[begin][0]
            for end in at[i + 1 : i + 1 + _LONGEST]:
                number = self._number.get(text[begin:end])
                if number is not None:
                    score = before + float(self._scores[number])
                elif end == at[i + 1]:
                    number, score = UNKNOWN, before + self._unknown
                else:
                    continue
                if end not in best or score > best[end][0]:
                    best[end] = score, begin, number
        numbers = []
        end = len(text)
        while end:
            _, end, number = best[end]
            numbers.append(number)
        return numbers[::-1]


class _Replacements:
    """A double-array trie of byte strings, and what each is replaced by."""

    def __init__(self, model: bytes) -> None:
        found = _REPLACEMENTS.search(model)
        if found is None:
            raise ValueError("the model file has no table of replacements")
        (size,) = struct.unpack_from("<I", model, found.end())
        self._units = struct.unpack_from(f"<{size // 4}I", model, found.end() + 4)
        self._texts = model[found.end() + 4 + size :]

    def in_(self, text: bytes) -> Iterator[bytes]:
        """A text with its longest known strings replaced, from left to right."""
        at = 0
        while at < len(text):
            end, value = self._longest(text, at)
            if value is None:
                yield text[at:end]
            else:
                yield self._texts[value : self._texts.index(b"\0", value)]
            at = end

    def _longest(self, text: bytes, begin: int) -> tuple[int, int | None]:
        """The end of the longest known string, and the place of its replacement.

        None where there is no such string, with the end of the character.
        """
        end, value = begin + 1, None
        while end < len(text) and not _begins(text[end]):
            end += 1
        node = _below(self._units[0])
        for i in range(begin, len(text)):
            node ^= text[i]
            unit = self._units[node]
            if unit & 0x800000FF != text[i]:
                break
            node ^= _below(unit)
            if unit & 0x100:
                end, value = i + 1, self._units[node] & 0x7FFFFFFF
        return end, value


def _below(unit: int) -> int:
    """By what the place of a node's children differs from its own."""
    return (unit >> 10) << ((unit & 0x200) >> 6)


def _begins(byte: int) -> bool:
    """Whether a byte of UTF-8 is the first of a character."""
    return byte & 0xC0 != 0x80
