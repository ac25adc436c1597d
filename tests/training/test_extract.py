"""Extractions of real small files: what comes back, what is kept, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from gdr_model.errors import Cancelled, SpaceMismatch, UsageError
from gdr_model.types import Audio, TextEmbedding
from training.data import Dataset, DatasetError, Item, read
from training.data.config import DataConfig
from training.data.corpus import read_corpus
from training.data.extract import ExtractionSummary, extract
from training.data.extracted import Manifest, read_extracted, write_extracted
from training.data.sound import decoded_ahead, stretch
from training.data.texts import Texts


class LetterCounts:
    """A real, if plain, text encoder: one token a word, counting each letter in it."""

    def __init__(self, scale: float = 1.0) -> None:
        self.calls: list[str] = []
        self.scale = scale

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        self.calls += texts
        words = [text.split() for text in texts]
        length = max(map(len, words))
        states = np.zeros((len(texts), length, 26), np.float32)
        mask = np.zeros((len(texts), length), np.bool_)
        for row, some in enumerate(words):
            for at, word in enumerate(some):
                for letter in word.lower():
                    states[row, at, (ord(letter) - 97) % 26] += self.scale
                mask[row, at] = True
        return TextEmbedding(states, mask, states.sum(axis=1))


@pytest.fixture
def dataset(music: Path, write_tone) -> Dataset:
    """Five tracks of 3, 4, … 7 s, the first with two captions, the third in two parts."""
    items = [Item("t0", "another low tone", write_tone(music / "0.wav", 100, 3))]
    for i in range(5):
        path = write_tone(music / f"{i}.wav", 100 * 2**i, 3 + i, rate_hz=16000)
        items.append(Item(f"t{i}", f"a tone number {i}", path, split="test" if i == 4 else ""))
    items.append(Item("t2", "its end", music / "2.wav", start_s=3.0, end_s=5.0))
    items.append(Item("t2", "a tone number 2", music / "2.wav", start_s=3.0, end_s=5.0))
    return Dataset("tones", tuple(items))


def run(dataset: Dataset, encoder, out: Path, text=None, **options) -> ExtractionSummary:
    options = {"model": "plain", "text_encoder": "letters", **options}
    return extract(dataset, encoder, text or LetterCounts(), out, **options)


def test_arrays_come_back_as_they_were_made(dataset, encoder, tmp_path) -> None:
    text = LetterCounts()
    summary = run(dataset, encoder, tmp_path / "out", text, tracks_per_shard=2)
    assert (summary.tracks, summary.encoded, summary.captions, summary.failed) == (6, 6, 7, [])
    assert summary.audio_s == 3 + 4 + 5 + 6 + 7 + 2
    found = read_extracted(tmp_path / "out")
    assert (found.space, found.model, found.dataset.name) == (encoder.space, "plain", "tones")
    assert found.text_encoder == "letters"
    assert [len(latents) for latents in found.latents] == [3, 4, 5, 6, 7, 2]
    # Items, with the number of their captions, are those that went in.
    # A part of a track is a track of its own: its captions say nothing of the rest.
    part = "t2, 3 s to 5 s"
    names = [part if item.start_s else item.track for item in dataset.items]
    given = [
        (name, i.caption, i.path, i.start_s, i.end_s, i.split)
        for name, i in zip(names, dataset.items, strict=True)
    ]
    back = [(i.track, i.caption, i.path, i.start_s, i.end_s, i.split) for i in found.dataset.items]
    assert back == given
    assert [i.row for i in found.dataset.items] == [0, 0, 1, 2, 3, 4, 5, 5]
    # The latents are the encoder's own, in half precision.
    (sound,) = decoded_ahead([dataset.items[2].path or Path()], 16000, 1)
    assert isinstance(sound, Audio)
    assert found.latents[1].dtype == np.float16
    np.testing.assert_allclose(found.latents[1], encoder.encode(sound.samples), atol=4e-3)
    assert found.dataset.arrays is not None
    np.testing.assert_allclose(
        found.dataset.arrays[1], found.latents[1].astype(np.float32).mean(0), rtol=1e-6
    )
    # So are the texts, whatever their length and in whatever order they are asked for.
    rows = [6, 0, 6]
    again = found.texts.of(rows)
    expected = text.embed([found.captions[row] for row in rows])
    width = expected.mask.shape[1]
    np.testing.assert_array_equal(again.mask[:, :width], expected.mask)
    assert not again.mask[:, width:].any()
    np.testing.assert_array_equal(again.states[:, :width], expected.states)
    np.testing.assert_array_equal(again.pooled, expected.pooled)


def test_running_again_encodes_and_reads_nothing(dataset, encoder, tmp_path) -> None:
    run(dataset, encoder, tmp_path / "out", tracks_per_shard=2)
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    encoder.calls, text = 0, LetterCounts()
    summary = run(dataset, encoder, tmp_path / "out", text, tracks_per_shard=2)
    assert (summary.tracks, summary.encoded, encoder.calls) == (6, 0, 0)
    assert len(text.calls) == 1, "one caption is read to see whether the text encoder is the same"
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


def test_an_interruption_keeps_whole_shards(dataset, encoder, tmp_path) -> None:
    def stop() -> bool:
        return encoder.calls >= 3

    with pytest.raises(Cancelled):
        run(dataset, encoder, tmp_path / "out", tracks_per_shard=2, cancelled=stop)
    with pytest.raises(DatasetError, match="is not finished"):
        read_extracted(tmp_path / "out")
    manifest = Manifest.read(tmp_path / "out")
    assert [shard.file for shard in manifest.latents] == ["latents-00000.safetensors"]
    encoder.calls = 0
    # Interrupted again before anything new: what was kept stays kept.
    with pytest.raises(Cancelled):
        run(dataset, encoder, tmp_path / "out", tracks_per_shard=2, cancelled=lambda: True)
    summary = run(dataset, encoder, tmp_path / "out", tracks_per_shard=2)
    assert (summary.tracks, summary.encoded) == (6, 4)
    whole = run(dataset, encoder, tmp_path / "whole", tracks_per_shard=2)
    assert whole.encoded == 6
    for one, other in zip(
        read_extracted(tmp_path / "out").latents,
        read_extracted(tmp_path / "whole").latents,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_only_what_changed_is_made_again(dataset, encoder, tmp_path, write_tone) -> None:
    out = tmp_path / "out"
    run(dataset, encoder, out, tracks_per_shard=2)
    write_tone(dataset.items[2].path, 1234, 9, rate_hz=16000)
    summary = run(dataset, encoder, out, tracks_per_shard=2)
    assert summary.encoded == 2
    assert len(read_extracted(out).latents[1]) == 9
    # A damaged shard is noticed, and made again too.
    shard = out / "latents-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match="is not the file that was written"):
        read_extracted(out)
    assert run(dataset, encoder, out, tracks_per_shard=2).encoded == 2
    # Fewer tracks: shards that nothing names any more are removed.
    assert run(dataset.first(2), encoder, out, tracks_per_shard=2).encoded == 0
    assert [path.name for path in sorted(out.glob("latents*"))] == ["latents-00000.safetensors"]
    assert len(read_extracted(out).latents) == 2
    # Another text encoder reads the words again, and the sound stays.
    text = LetterCounts(2)
    assert run(dataset.first(2), encoder, out, text, tracks_per_shard=2).encoded == 0
    assert read_extracted(out).texts.of([0]).states.max() % 2 == 0


def test_a_file_that_cannot_be_read_fails_alone_and_with_a_reason(
    dataset, encoder, tmp_path, music
) -> None:
    (music / "1.wav").write_bytes(b"no sound at all")
    (music / "4.wav").unlink()
    late = Item("t0", "too late", music / "0.wav", start_s=10.0)
    dataset = Dataset("tones", (*dataset.items, late))
    summary = run(dataset, encoder, tmp_path / "out", tracks_per_shard=2)
    assert [(Path(f.path).name, f.reason) for f in summary.failed] == [
        ("1.wav", "it is not a readable sound file"),
        ("4.wav", "it no longer exists"),
        ("0.wav", "it ends at 3.0 s, before 10 s"),
    ]
    assert (summary.tracks, summary.encoded) == (4, 4)
    found = read_extracted(tmp_path / "out")
    assert found.dataset.tracks == ["t0", "t2", "t3", "t2, 3 s to 5 s"]
    assert [len(latents) for latents in found.latents] == [3, 5, 6, 2]
    again = run(dataset, encoder, tmp_path / "out", tracks_per_shard=2)
    assert (again.encoded, again.failed) == (0, summary.failed)


def test_numbers_that_are_none_are_a_failure(dataset, encoder, tmp_path) -> None:
    class Overflowing:
        space = encoder.space

        def encode(self, samples, cancelled=None):
            latents = encoder.encode(samples)
            return latents * (1e6 if len(latents) == 5 else np.nan if len(latents) == 6 else 1)

    summary = run(dataset, Overflowing(), tmp_path / "out")
    assert [Path(f.path).name for f in summary.failed] == ["2.wav", "3.wav"]


def test_a_dataset_without_a_usable_file_leaves_nothing_to_read(encoder, tmp_path, music) -> None:
    (music / "a.wav").write_bytes(b"")
    dataset = Dataset("none", (Item("a", "words", music / "a.wav"),))
    assert run(dataset, encoder, tmp_path / "out").tracks == 0
    with pytest.raises(DatasetError, match="holds no track"):
        read_extracted(tmp_path / "out")


def test_progress_tells_captions_then_tracks(dataset, encoder, tmp_path) -> None:
    seen = []
    run(dataset, encoder, tmp_path / "out", on_progress=seen.append, tracks_per_shard=2)
    stages = [progress.stage for progress in seen]
    assert stages == sorted(stages)
    assert [p.done for p in seen if p.stage == "tracks"] == list(range(7))
    assert {(p.stage, p.total) for p in seen} == {("captions", 7), ("tracks", 6)}


def test_what_would_mix_or_overwrite_is_refused(dataset, encoder, tmp_path) -> None:
    out = tmp_path / "out"
    run(dataset, encoder, out)
    other = type(encoder)(fingerprint="1" * 16)
    with pytest.raises(SpaceMismatch, match=r"holds latents of bands .* the model makes bands"):
        run(dataset, other, out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="not an extraction and not an empty folder"):
        run(dataset, encoder, tmp_path / "mine")
    with pytest.raises(UsageError, match="not an extraction"):
        run(dataset, encoder, tmp_path / "mine" / "thesis.txt")
    with pytest.raises(UsageError, match="0 tracks a shard"):
        run(dataset, encoder, out, tracks_per_shard=0)
    with pytest.raises(DatasetError, match="holds no sound"):
        run(Dataset("words", (Item("a", "b"),)), encoder, out)
    with pytest.raises(DatasetError, match="is already arrays"):
        run(Dataset("rows", (), arrays=np.zeros((2, 2), np.float32)), encoder, out)
    with (
        FileLock(out / "extract.lock"),
        pytest.raises(DatasetError, match="another gdr is extracting"),
    ):
        run(dataset, encoder, out)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "space": 3}'])
def test_a_folder_that_is_no_extraction_is_refused(tmp_path, text) -> None:
    with pytest.raises(DatasetError, match="run gdr extract"):
        read_extracted(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DatasetError, match="extraction"):
        read_extracted(tmp_path)


def test_a_manifest_that_does_not_fit_its_shards_is_refused(dataset, encoder, tmp_path) -> None:
    out = tmp_path / "out"
    run(dataset, encoder, out)
    whole = (out / "manifest.json").read_text()
    raw = json.loads(whole)
    raw["captions"] = raw["captions"][:2]
    (out / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(DatasetError, match="does not fit its shards"):
        read_extracted(out)
    (out / "manifest.json").write_text(whole)
    (out / "text-00000.safetensors").unlink()
    with pytest.raises(DatasetError, match="gdr extract again"):
        read_extracted(out)


def test_a_clip_file_is_taken_whole_and_a_recording_is_cut() -> None:
    samples = np.arange(20 * 100, dtype=np.float32)

    def sound(seconds: float) -> Audio:
        return Audio(samples[: round(seconds * 100)], 100, "", 1)

    assert len(stretch(sound(10.5), 30, 40)) == 1050
    assert stretch(sound(20), 5, 15).tolist() == samples[500:1500].tolist()
    assert len(stretch(sound(12), 5, 15)) == 700, "as far as the recording goes"
    assert len(stretch(sound(20), None, None)) == 2000
    assert len(stretch(sound(20), None, 4)) == 400
    assert len(stretch(sound(20), 15, None)) == 500


def test_the_shipped_model_extracts_a_table_of_captions(music, write_tone, tmp_path) -> None:
    from gdr_model.models.checkpoint import load

    model = load()
    write_tone(music / "a.ogg", 220, 3)
    shutil.copy(music / "a.ogg", music / "b.ogg")
    table = music / "set.csv"
    table.write_text("file_path,caption\na.ogg,a low tone\nb.ogg,the same again\n")
    summary = extract(
        read(table, music),
        model.encoder,
        model.text,
        tmp_path / "out",
        model=model.name,
        text_encoder=model.config.text.name,
    )
    assert (summary.tracks, summary.captions) == (2, 2)
    found = read_extracted(tmp_path / "out")
    assert found.space == model.space
    assert found.latents[0].shape == (3, model.space.dim)
    np.testing.assert_array_equal(found.latents[0], found.latents[1])
    expected = model.text.embed(["the same again"])
    again = found.texts.of([1])
    np.testing.assert_array_equal(again.mask, expected.mask)
    np.testing.assert_allclose(again.states, expected.states, atol=5e-3)
    np.testing.assert_allclose(again.pooled, expected.pooled, rtol=1e-6)


def test_arrays_that_are_encoded_already_are_written_and_read_back(encoder, tmp_path) -> None:
    rng = np.random.default_rng(0)
    dim = encoder.space.dim
    latents = [rng.standard_normal((length, dim)).astype(np.float32) for length in (3, 5, 2)]
    texts = Texts(
        np.eye(2, 4, dtype=np.float32),
        np.array([[True, False], [True, True]]),
        rng.standard_normal((3, 4)).astype(np.float16),
    )
    write_extracted(
        tmp_path / "jazz",
        model="plain",
        text_encoder="letters",
        space=encoder.space,
        tracks=["a", "b", "c"],
        latents=latents,
        captions=["slow jazz", "fast jazz"],
        texts=texts,
        pairs=[(0, 0), (2, 0), (2, 1)],
    )
    found = read_extracted(tmp_path / "jazz")
    assert (found.dataset.name, found.model, found.space) == ("jazz", "plain", encoder.space)
    assert [(i.track, i.caption) for i in found.dataset.items] == [
        ("a", "slow jazz"),
        ("c", "slow jazz"),
        ("c", "fast jazz"),
    ]
    np.testing.assert_array_equal(found.texts.of([1]).states, texts.of([1]).states)
    # In a corpus the track that no caption describes is a distractor.
    corpus = read_corpus(DataConfig(str(tmp_path / "jazz"), folds=2))
    assert corpus.tracks == ("a", "c", "b")
    for own, row in zip(corpus.latents, (0, 2, 1), strict=True):
        np.testing.assert_allclose(own, latents[row], atol=2e-3)
    assert corpus.correct(np.array([True, False, True])).tolist() == [
        [True, True, False],
        [False, True, False],
    ]
