"""How well copies are distinguished from other versions, both made from your own music.

    python benchmarks/copies.py DIR... [--files 80]

Every file is encoded, shifted, cut and disturbed in the ways of `KINDS`, decoded and encoded to
latents as `gdr index` does it, and compared with the original as a search does. The first table has
the likeness at which verdicts are made (docs/copies.md), the second the share of each kind that is
taken for a copy, for two halves of the files: bounds are chosen on one and reported on the other.
"""

from __future__ import annotations

import argparse
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from gdr_model.audio import SUFFIXES, decode
from gdr_model.errors import DecodeError
from gdr_model.models.checkpoint import Model, load
from gdr_model.search.recordings import listening
from gdr_model.search.recordings.likeness import Likeness, bounds_of, likeness
from gdr_model.search.whitening import unit

Sound = NDArray[np.float32]
RATE_HZ = 44100
SEMITONE = 2 ** (1 / 12)


@dataclass(frozen=True)
class Kind:
    """One way of making a version."""

    group: str
    """copy, version (another version, which is no copy) or between."""
    name: str
    change: Callable[[Sound, Sound, np.random.Generator], Sound] = lambda sound, other, rng: sound
    """Of a sound (N,), given another one and a random generator."""
    codec: str = "flac"
    bit_rate: int = 0


def filtered(sound: Sound, *steps: tuple[str, str]) -> Sound:
    """Pass a sound through filters of FFmpeg."""
    graph = av.filter.Graph()
    chain = [graph.add_abuffer(sample_rate=RATE_HZ, format="flt", layout="mono")]
    chain += [graph.add(name, arguments) for name, arguments in steps]
    chain.append(graph.add("abuffersink"))
    for step, then in zip(chain, chain[1:], strict=False):  # noqa: RUF007 (a list is at hand)
        step.link_to(then)
    graph.configure()
    frame = as_frame(sound, RATE_HZ)
    frame.pts = 0
    chain[0].push(frame)
    chain[0].push(None)
    parts = []
    while True:
        try:
            parts.append(chain[-1].pull().to_ndarray().reshape(-1))
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(parts)


def as_frame(sound: Sound, rate_hz: int) -> av.AudioFrame:
    """Mono samples as a frame."""
    rows = np.ascontiguousarray(sound[None], np.float32)
    frame = av.AudioFrame.from_ndarray(rows, format="flt", layout="mono")
    frame.sample_rate = rate_hz
    return frame


def silence(seconds: float) -> Sound:
    """Zeros."""
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def transposed(sound: Sound, ratio: float) -> Sound:
    """Higher by a ratio, as long as before."""
    rate = f"{RATE_HZ * ratio:.0f}"
    steps = ("asetrate", rate), ("aresample", str(RATE_HZ)), ("atempo", f"{1 / ratio:.6f}")
    return filtered(sound, *steps)[: len(sound)]


def faster(sound: Sound, ratio: float) -> Sound:
    """Faster by a ratio, as high as before."""
    return filtered(sound, ("atempo", f"{ratio:.4f}"))


def over(sound: Sound, other: Sound, db: float) -> Sound:
    """Another sound mixed in, at a level relative to the first."""
    other = np.resize(other, len(sound))
    gain = np.sqrt(np.mean(sound**2) / (np.mean(other**2) + 1e-12)) * 10 ** (db / 20)
    return np.asarray((sound + gain * other).clip(-1, 1))


def replaced(sound: Sound) -> Sound:
    """A fifth in the middle replaced by the beginning."""
    changed, fifth = sound.copy(), len(sound) // 5
    changed[2 * fifth : 3 * fifth] = sound[:fifth]
    return changed


def halves_swapped(sound: Sound) -> Sound:
    """The second half first."""
    half = len(sound) // 2
    return np.concatenate([sound[half:], sound[:half]])


def muted(sound: Sound) -> Sound:
    """Two half seconds silenced, as in a clean version."""
    changed = sound.copy()
    for share in (0.3, 0.6):
        changed[int(share * len(sound)) :][: RATE_HZ // 2] = 0
    return changed


def live(sound: Sound, rng: np.random.Generator) -> Sound:
    """A tempo that wanders by two percent, a hall and noise."""
    times = np.arange(len(sound)) / RATE_HZ
    wandering = times + 0.15 * np.sin(2 * np.pi * times / 13) + 0.1 * np.sin(2 * np.pi * times / 7)
    played = np.interp(wandering, times, sound)
    hall = rng.standard_normal(RATE_HZ) * np.exp(-6 * np.arange(RATE_HZ) / RATE_HZ)
    hall[0] = 8
    size = 1 << int(np.ceil(np.log2(len(sound) + RATE_HZ)))
    echoing = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(hall, size), size)[: len(sound)]
    echoing = 0.8 * echoing / (np.abs(echoing).max() + 1e-9) + 0.01 * rng.standard_normal(
        len(sound)
    )
    return echoing.astype(np.float32)


def remastered(sound: Sound) -> Sound:
    """Louder, compressed, with more bass and treble."""
    shelves = filtered(sound, ("highshelf", "f=4000:g=4"), ("lowshelf", "f=150:g=3"))
    return np.tanh(2.5 * shelves)


KINDS = (
    Kind("copy", "MP3, 320 kb/s", codec="libmp3lame", bit_rate=320_000),
    Kind("copy", "MP3, 128 kb/s", codec="libmp3lame", bit_rate=128_000),
    Kind("copy", "MP3, 64 kb/s", codec="libmp3lame", bit_rate=64_000),
    Kind("copy", "AAC, 128 kb/s", codec="aac", bit_rate=128_000),
    Kind("copy", "Opus, 96 kb/s", codec="libopus", bit_rate=96_000),
    Kind("copy", "resampled to 22.05 kHz",
         lambda s, o, r: soxr.resample(soxr.resample(s, RATE_HZ, 22050), 22050, RATE_HZ)),
    Kind("copy", "6 dB softer", lambda s, o, r: 0.5 * s),
    Kind("copy", "6 dB louder, clipped", lambda s, o, r: (2 * s).clip(-1, 1)),
    Kind("copy", "8 bits", lambda s, o, r: np.round(127 * s) / 127),
    Kind("copy", "0.5 s of silence before", lambda s, o, r: np.concatenate([silence(0.5), s])),
    Kind("copy", "0.5 s cut off", lambda s, o, r: s[RATE_HZ // 2 :]),
    Kind("copy", "2 s of silence before, 1 s after",
         lambda s, o, r: np.concatenate([silence(2), s, silence(1)])),
    Kind("copy", "another rip: up to 1 s later, 3 dB softer, MP3, 128 kb/s",
         lambda s, o, r: np.concatenate([silence(r.uniform(0.02, 1)), 0.7 * s]),
         "libmp3lame", 128_000),
    Kind("between", "remaster: louder, bass and treble", lambda s, o, r: remastered(s)),
    Kind("between", "two half seconds silenced", lambda s, o, r: muted(s)),
    Kind("version", "a semitone higher", lambda s, o, r: transposed(s, SEMITONE)),
    Kind("version", "a semitone lower", lambda s, o, r: transposed(s, 1 / SEMITONE)),
    Kind("version", "half a semitone higher", lambda s, o, r: transposed(s, SEMITONE**0.5)),
    Kind("version", "3 % slower", lambda s, o, r: faster(s, 0.97)),
    Kind("version", "1 % faster", lambda s, o, r: faster(s, 1.01)),
    Kind("version", "another sound over it, 3 dB softer", lambda s, o, r: over(s, o, -3)),
    Kind("version", "another sound over it, 6 dB softer", lambda s, o, r: over(s, o, -6)),
    Kind("version", "another sound over it, 10 dB softer", lambda s, o, r: over(s, o, -10)),
    Kind("version", "another sound over it, 15 dB softer", lambda s, o, r: over(s, o, -15)),
    Kind("version", "a fifth replaced by another passage", lambda s, o, r: replaced(s)),
    Kind("version", "halves swapped", lambda s, o, r: halves_swapped(s)),
    Kind("version", "live: wandering tempo, hall, noise", lambda s, o, r: live(s, r)),
)  # fmt: skip
DIFFERENT = Kind("version", "different files of about equal length")


def written(target: Path, sound: Sound, kind: Kind) -> Path:
    """A sound as a file of a kind."""
    rate_hz = 48000 if kind.codec == "libopus" else RATE_HZ
    if rate_hz != RATE_HZ:
        sound = soxr.resample(sound, RATE_HZ, rate_hz)
    endings = {"libmp3lame": "mp3", "aac": "m4a", "libopus": "opus", "flac": "flac"}
    path = target.with_suffix(f".{endings[kind.codec]}")
    with av.open(str(path), "w") as out:
        stream = out.add_stream(kind.codec, rate=rate_hz)
        stream.layout = "mono"
        if kind.bit_rate:
            stream.bit_rate = kind.bit_rate
        size = stream.codec_context.frame_size or 4096
        form = stream.codec_context.format.name
        resampler = av.AudioResampler(form, "mono", rate_hz, frame_size=size)
        for part in (*resampler.resample(as_frame(sound, rate_hz)), *resampler.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Compared:
    """A version compared with its original."""

    half: int
    likeness: Likeness
    agreement: float
    mean: float
    taken: bool
    """For a copy."""


class Comparing:
    """Compares files as a search does."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._bounds = bounds_of(model.space)

    def latents(self, path: Path) -> tuple[Sound, Sound]:
        """Unit rows (T, D) of a file, and its unit mean (D,)."""
        samples = decode(path, self._model.space.sample_rate_hz).samples
        latents = self._model.encoder.encode(samples)
        apply = self._model.whitening.apply
        return apply(latents), unit(apply(latents.mean(axis=0)))

    def compare(
        self, half: int, one: tuple[Sound, Sound], other: tuple[Sound, Sound], *files: Path
    ) -> Compared:
        """Compare the latents of two files, and their sound where a search would."""
        bounds, alike = self._bounds, likeness(one[0], other[0])
        mean = float(one[1] @ other[1])
        taken = alike.reaches(bounds.surely)
        agreement = np.nan
        if not taken and alike.reaches(bounds.perhaps):
            agreement = listening.agreement(*files)
            taken = agreement >= bounds.agreement
        return Compared(half, alike, agreement, mean, taken and mean >= bounds.mean)


def measured(files: list[Path], model: Model) -> dict[Kind, list[Compared]]:
    """Every kind of every file, and every pair of files."""
    comparing, found = Comparing(model), defaultdict(list)
    originals: list[tuple[int, Path, float, tuple[Sound, Sound]]] = []
    for number, file in enumerate(files):
        try:
            sound = decode(file, RATE_HZ).samples
            other = decode(files[(number + 1 + len(files) // 3) % len(files)], RATE_HZ).samples
        except DecodeError as error:
            print(f"{file}: {error}")
            continue
        half = zlib.crc32(file.stem.rstrip("0123456789-_ ").encode()) % 2
        with tempfile.TemporaryDirectory() as folder:
            original = written(Path(folder) / "original", sound, Kind("", ""))
            latents = comparing.latents(original)
            originals.append((half, file, len(sound) / RATE_HZ, latents))
            for kind in KINDS:
                version = kind.change(sound, other, np.random.default_rng(number))
                path = written(Path(folder) / "version", np.asarray(version, np.float32), kind)
                compared = comparing.compare(half, latents, comparing.latents(path), original, path)
                found[kind].append(compared)
        print(f"\r{number + 1} of {len(files)} files", end="", flush=True)
    print()
    longer_s = bounds_of(model.space).longer_s
    for a, b in combinations(originals, 2):
        if abs(a[2] - b[2]) <= longer_s:
            found[DIFFERENT].append(comparing.compare(a[0], a[3], b[3], a[1], b[1]))
    return found


def rows(found: dict[Kind, list[Compared]]) -> Iterator[str]:
    """Both tables, as Markdown."""
    yield "| version | n | sound | worst | course | agreement |"
    yield "|---|---|---|---|---|---|"
    for kind in (*KINDS, DIFFERENT):
        each = found[kind]
        # The end of a distribution that can be mistaken for the other group.
        share = 0.05 if kind.group == "copy" else 0.95
        cells = []
        for name in ("sound", "worst", "course"):
            values = [getattr(one.likeness, name) for one in each]
            cells.append(f"{np.median(values):.3f} ({np.quantile(values, share):.3f})")
        agreement = [one.agreement for one in each if not np.isnan(one.agreement)]
        listened = (
            f"{np.median(agreement):.2f} ({np.quantile(agreement, share):.2f})"
            if agreement
            else "–"
        )
        yield f"| {kind.name} | {len(each):,} | {' | '.join(cells)} | {listened} |"
    yield ""
    yield "| version | first half | second half | listened to |"
    yield "|---|---|---|---|"
    for kind in (*KINDS, DIFFERENT):
        cells = []
        for half in (0, 1):
            taken = [one.taken for one in found[kind] if one.half == half]
            cells.append(f"{sum(taken):,} of {len(taken):,}")
        share = np.mean([not np.isnan(one.agreement) for one in found[kind]])
        yield f"| {kind.name} | {' | '.join(cells)} | {share:.0%} |"


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of music")
    parser.add_argument("--files", type=int, default=80, help="how many, spread over the folders")
    parser.add_argument("--model", default="builtin", help="a name or a folder")
    return parser


def main() -> None:
    """Print the tables."""
    chosen = options().parse_args()
    import torch

    torch.set_num_threads(1)
    found = [p for folder in chosen.folders for p in sorted(folder.rglob("*"))
             if p.suffix.lower() in SUFFIXES]  # fmt: skip
    step = max(1, len(found) // chosen.files)
    files = [path for number, path in enumerate(found) if (number // 2) % step == 0]
    print("\n".join(rows(measured(files, load(chosen.model, "cpu")))))


if __name__ == "__main__":
    main()
