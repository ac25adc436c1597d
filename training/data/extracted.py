"""The folder of an extraction: shards of latents and of text, and a manifest that links them.

manifest.json            space, clips, captions, items (clip, caption, split), checksums, failures
latents-00000.safetensors  one tensor (T, D) float16 a clip, named by the clip's number
text-00000.safetensors   of its captions: `mask` (C, L), `states` (M, E) float16, the states of the
                         tokens the mask keeps, one after the other, and `pooled` (C, E)

Files are written atomically, and the manifest names a shard only once it is complete: whatever
interrupts an extraction, everything that the manifest names can be reused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from gdr_model import atomic, decode, plain
from gdr_model.encoders.registry.pairs import MINILM
from gdr_model.types import Array, LatentSpace
from training.data import MANIFEST, Dataset, DatasetError, Item
from training.data.texts import Half, Texts, joined_masks

FORMAT = 1

Tensors = dict[str, NDArray[Any]]


@dataclass
class Shard:
    """A file of the folder, as the manifest describes it."""

    file: str
    key: str
    """Hash of the input: equal only if the output would be the same."""
    sha256: str
    failures: dict[str, str] = field(default_factory=dict)
    """For each clip without latents, by its number, the reason."""


@dataclass
class Manifest:
    """`manifest.json`."""

    dataset: str
    model: str
    space: LatentSpace
    clips: list[dict[str, Any]]
    """Each with track, path, start_s, end_s."""
    captions: list[str]
    items: list[tuple[int, int, str]]
    """Numbers of clip and caption, and the split named by the dataset."""
    problems: list[str]
    """Rows of the dataset that could not be used."""
    text_encoder: str = MINILM.name
    """The name of what read the captions. The built-in model's was MiniLM before it was kept."""
    latents: list[Shard] = field(default_factory=list)
    text: list[Shard] = field(default_factory=list)
    complete: bool = False

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"
        atomic.write_text(folder / MANIFEST, text)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read what `save` wrote.

        Raises:
            DatasetError: if there is none, or it is malformed.
        """
        path = folder / MANIFEST
        malformed = f"{path} does not describe an extraction: "
        try:
            raw = plain.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DatasetError(
                f"{folder} holds no extraction: it has no {MANIFEST}; run gdr extract"
            ) from error
        except (OSError, ValueError) as error:
            raise DatasetError(f"{malformed}{error}") from error
        version = raw.pop("format", None) if isinstance(raw, dict) else None
        if version != FORMAT:
            raise DatasetError(f"{folder} holds an extraction of format {version}, not {FORMAT}")
        return decode.into(cls, raw, prefix=malformed, error=DatasetError)


def write_shard(folder: Path, file: str, key: str, tensors: Tensors) -> Shard:
    """Write tensors; the shard is on disk when this returns."""
    # As bytes, because the library's own writer makes the file unreadable for other users.
    content = save({name: np.ascontiguousarray(t) for name, t in tensors.items()})
    atomic.write_bytes(folder / file, content)
    return Shard(file, key, hashlib.sha256(content).hexdigest())


def read_shard(folder: Path, shard: Shard) -> Tensors:
    """The tensors of a shard, whose checksum must be right.

    Raises:
        DatasetError: if the file is missing or was changed.
    """
    path = folder / shard.file
    try:
        if _sha256(path) != shard.sha256:
            raise DatasetError(
                f"{path} is not the file that was written; run gdr extract again to replace it"
            )
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DatasetError(
            f"{path} cannot be read ({error}); run gdr extract again to replace it"
        ) from error


def key_of(content: object) -> str:
    """The hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Extracted:
    """A dataset as arrays: row r of `latents` is the sound of the items of `dataset` with row r."""

    space: LatentSpace
    model: str
    text_encoder: str
    dataset: Dataset
    """The captions whose sound was encoded; its `arrays` are the means (R, D) over time."""
    latents: tuple[Half, ...] = field(repr=False)  # R × (T, D)
    captions: tuple[str, ...] = field(repr=False)
    """Every different caption once."""
    texts: Texts = field(repr=False)
    tracks: tuple[str, ...] = field(repr=False)
    """The track of each row of `latents`, tracks without a caption included."""


def read_extracted(folder: Path) -> Extracted:
    """The arrays of a finished extraction, every checksum verified.

    Raises:
        DatasetError: if it is not finished, damaged, or holds nothing.
    """
    manifest = Manifest.read(folder)
    if not manifest.complete:
        raise DatasetError(f"the extraction in {folder} is not finished; run gdr extract again")
    encoded: dict[int, Half] = {}
    for shard in manifest.latents:
        found = read_shard(folder, shard)
        encoded.update((number, found[str(number)]) for number in sorted(map(int, found)))
    if not encoded:
        raise DatasetError(f"the extraction in {folder} holds no track; see {MANIFEST} for why")
    try:
        names = _names(manifest, encoded)
        items = _items(manifest, encoded, names)
    except (LookupError, TypeError) as error:
        raise DatasetError(f"{folder / MANIFEST} does not fit its shards") from error
    means = np.stack([latents.mean(axis=0, dtype=np.float32) for latents in encoded.values()])
    text = [read_shard(folder, shard) for shard in manifest.text]
    return Extracted(
        space=manifest.space,
        model=manifest.model,
        text_encoder=manifest.text_encoder,
        dataset=Dataset(manifest.dataset, tuple(items), arrays=means),
        latents=tuple(encoded.values()),
        captions=tuple(manifest.captions),
        tracks=tuple(names[number] for number in encoded),
        texts=Texts(
            np.concatenate([part["pooled"] for part in text]),
            joined_masks([part["mask"] for part in text]),
            np.concatenate([part["states"] for part in text]),
        ),
    )


def write_extracted(
    folder: Path,
    *,
    model: str,
    text_encoder: str,
    space: LatentSpace,
    tracks: Sequence[str],
    latents: Sequence[Array],
    captions: Sequence[str],
    texts: Texts,
    pairs: Sequence[tuple[int, int]],
) -> None:
    """Write arrays that are encoded already as an extraction, which `read_extracted` reads.

    `latents` holds (T, D) of each track, `texts` the embedding of the captions by the text encoder;
    `pairs` are the numbers of a track and of a caption that describes it. Tracks without one are
    distractors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = [{"track": track, "path": track, "start_s": None, "end_s": None} for track in tracks]
    manifest = Manifest(
        dataset=folder.name,
        model=model,
        text_encoder=text_encoder,
        space=space,
        clips=clips,
        captions=list(captions),
        items=[(track, caption, "") for track, caption in pairs],
        problems=[],
    )
    rows: Tensors = {str(i): own.astype(np.float16) for i, own in enumerate(latents)}
    text: Tensors = {"mask": texts.mask, "states": texts.tokens, "pooled": texts.pooled}
    manifest.latents = [write_shard(folder, "latents-00000.safetensors", "written", rows)]
    manifest.text = [write_shard(folder, "text-00000.safetensors", "written", text)]
    manifest.complete = True
    manifest.save(folder)


def _names(manifest: Manifest, encoded: Collection[int]) -> list[str]:
    """Names of the clips: that of the track, with the stretch if the track has several."""
    clips = Counter(str(manifest.clips[number]["track"]) for number in encoded)
    names = []
    for clip in manifest.clips:
        name, start_s, end_s = str(clip["track"]), clip["start_s"], clip["end_s"]
        if clips[name] > 1 and (start_s or end_s is not None):
            end = "the end" if end_s is None else f"{end_s:g} s"
            name = f"{name}, {start_s or 0:g} s to {end}"
        names.append(name)
    return names


def _items(manifest: Manifest, encoded: Mapping[int, Half], names: Sequence[str]) -> list[Item]:
    row_of = {clip: row for row, clip in enumerate(encoded)}
    return [
        Item(
            track=names[clip],
            caption=manifest.captions[caption],
            path=Path(manifest.clips[clip]["path"]),
            row=row_of[clip],
            start_s=manifest.clips[clip]["start_s"],
            end_s=manifest.clips[clip]["end_s"],
            split=split,
        )
        for clip, caption, split in manifest.items
        if clip in row_of
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
