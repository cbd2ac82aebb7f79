"""Mentions as labels of tokens, and back, with the offsets of real tokenizers."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsdata
from newsdata import bio_labels, bio_spans
from newsdata.errors import CallError

Offsets = list[tuple[int, int]]

NAMES = ("青岚股份", "禾渡食品", "望山", "鹭洲重工机械", "𠮷野家", "晨汐")
BETWEEN = ("今日公告", "，", "。", "的", "😀", "👨‍👩‍👧", "　", " 2022 ", "涨停板", " IPO ", "é", "与", "𝟙", "：")


def article(chance: random.Random) -> tuple[str, list[dict[str, Any]]]:
    """A text and its mentions: names among other words, some right after each other, some Latin ones between blanks."""
    text, mentions = "", []
    for _ in range(chance.randint(3, 30)):
        if chance.random() < 0.4:
            name = chance.choice(NAMES)
            kind = chance.choice(("security", "board"))
            mentions.append({"start": len(text), "end": len(text) + len(name), "kind": kind, "text": name})
            text += name
        elif chance.random() < 0.1:
            mentions.append({"start": len(text) + 1, "end": len(text) + 5, "kind": "glossary", "text": "Nuve"})
            text += " Nuve "
        else:
            text += chance.choice(BETWEEN)
    return text, mentions


@pytest.fixture(scope="module")
def articles() -> list[tuple[str, list[dict[str, Any]]]]:
    chance = random.Random(1)
    return [article(chance) for _ in range(2000)]


@pytest.fixture(scope="module")
def trained(articles: list[tuple[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    """Tokenizers of three kinds, trained on the texts: the first splits Chinese by character, the others do not."""
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    models, trainers, before = tokenizers.models, tokenizers.trainers, tokenizers.pre_tokenizers
    bytes_of = {"initial_alphabet": before.ByteLevel.alphabet()}
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    found = {}
    for kind, model, trainer, options, pre_tokenizer in (
        ("WordPiece", models.WordPiece, trainers.WordPieceTrainer, {}, before.BertPreTokenizer()),
        ("BPE", models.BPE, trainers.BpeTrainer, {}, before.Metaspace()),
        ("byte-level BPE", models.BPE, trainers.BpeTrainer, bytes_of, before.ByteLevel(add_prefix_space=True)),
    ):
        found[kind] = tokenizer = tokenizers.Tokenizer(model(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizer
        if kind == "WordPiece":
            tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False, strip_accents=True)
        tokenizer.train_from_iterator(
            [text for text, _ in articles[:500]],
            trainer(vocab_size=600, special_tokens=special, show_progress=False, **options),
        )
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
    return found


def spans_by_hand(mentions: list[dict[str, Any]], offsets: Offsets, text: str) -> list[dict[str, Any]]:
    """For each mention from where to where the tokens go that share a character with it and with none before it."""
    blanks = {at for at, letter in enumerate(text) if letter.isspace()}
    letters = [set(range(*one)) - blanks or set(range(*one)) for one in offsets]
    taken: set[int] = set()
    spans = []
    for mention in mentions:
        inside = set(range(mention["start"], mention["end"]))
        own = [at for at, token in enumerate(letters) if token & inside and at not in taken]
        taken |= set(own)
        if own:
            start, end = min(letters[own[0]]), max(letters[own[-1]]) + 1
            spans.append({"start": start, "end": end, "kind": mention["kind"]})
    return spans


@pytest.mark.parametrize("kind", ["WordPiece", "BPE", "byte-level BPE"])
def test_labels_of_2000_articles_are_read_back(
    articles: list[tuple[str, list[dict[str, Any]]]], trained: dict[str, Any], kind: str
) -> None:
    exact = moved = dropped = 0
    encodings = trained[kind].encode_batch([text for text, _ in articles])
    for (text, mentions), encoding in zip(articles, encodings, strict=True):
        made = bio_labels(mentions, encoding.offsets, text)
        assert made.labels[0] is made.labels[-1] is None and len(made.labels) == len(encoding.offsets)
        found = bio_spans(made.labels, encoding.offsets, text)
        assert found == spans_by_hand(mentions, encoding.offsets, text)
        assert made.exact == sum({name: one[name] for name in ("start", "end", "kind")} in found for one in mentions)
        assert made.exact + made.moved == len(found)
        assert made.exact + made.moved + made.dropped == len(mentions)
        exact, moved, dropped = exact + made.exact, moved + made.moved, dropped + made.dropped
    if kind == "WordPiece":  # each Chinese character is a token, so every mention begins and ends with one
        assert moved == dropped == 0 and exact > 8000
    else:
        assert exact > 1000 and moved > 1000


def test_padding_and_a_text_that_is_cut_off(trained: dict[str, Any]) -> None:
    tokenizer = trained["WordPiece"].from_str(trained["WordPiece"].to_str())
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=10, pad_token="[PAD]", pad_id=3)
    text = "青岚股份与禾渡食品今日公告，晨汐"
    mentions = [{"start": start, "end": end, "kind": "security"} for start, end in ((0, 4), (5, 9), (14, 16))]
    made = bio_labels(mentions, tokenizer.encode(text).offsets, text)
    b, i = "B-security", "I-security"
    assert made.labels == [None, b, i, i, i, "O", b, None, None, None]
    assert (made.exact, made.moved, made.dropped) == (1, 1, 1)


def test_blanks_at_the_edges_of_tokens_do_not_count() -> None:
    text, offsets = "在 Nuve 与 青岚", [(0, 1), (1, 6), (6, 8), (8, 9), (9, 11)]
    mentions = [{"start": 2, "end": 6, "kind": "glossary"}, {"start": 9, "end": 11, "kind": "security"}]
    made = bio_labels(mentions, offsets, text)
    assert (made.labels, made.exact) == (["O", "B-glossary", "O", "O", "B-security"], 2)
    assert bio_spans(made.labels, offsets, text) == mentions
    assert bio_labels(mentions, offsets).moved == 1, "without the text the blank belongs to the token"


def test_a_token_of_two_mentions_is_of_the_first() -> None:
    mentions = [
        {"start": 0, "end": 3, "kind": "a"},
        {"start": 3, "end": 6, "kind": "b"},
        {"start": 6, "end": 7, "kind": "c"},
    ]
    made = bio_labels(mentions, [(0, 2), (2, 4), (4, 6), (6, 9)])
    assert made.labels == ["B-a", "I-a", "B-b", "B-c"]
    assert (made.exact, made.moved, made.dropped) == (0, 3, 0)
    made = bio_labels(mentions, [(0, 9)])
    assert (made.labels, made.exact, made.moved, made.dropped) == (["B-a"], 0, 1, 2)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30),
    cuts=st.sets(st.integers(0, 90), max_size=40),
)
def test_any_mentions_and_any_tokens(sizes: list[tuple[int, int]], cuts: set[int]) -> None:
    mentions, at = [], 0
    for before, length in sizes:
        if length:
            mentions.append({"start": at + before, "end": at + before + length, "kind": "k"})
        at += before + length
    borders = sorted(cuts | {0, at})
    offsets = list(pairwise(borders))
    made = bio_labels(mentions, offsets)
    assert bio_spans(made.labels, offsets) == spans_by_hand(mentions, offsets, "x" * 500)
    assert made.exact + made.moved + made.dropped == len(mentions)
    if {edge for one in mentions for edge in (one["start"], one["end"])} <= set(borders):
        assert made.exact == len(mentions)


def test_labels_of_a_model_need_not_be_in_order() -> None:
    offsets = [(at, at + 1) for at in range(8)]
    labels = ["I-a", "I-a", "I-b", None, "I-b", "O", "I-b", "B-b"]
    assert bio_spans(labels, offsets) == [
        {"start": 0, "end": 2, "kind": "a"},
        {"start": 2, "end": 5, "kind": "b"},
        {"start": 6, "end": 7, "kind": "b"},
        {"start": 7, "end": 8, "kind": "b"},
    ]
    with pytest.raises(ValueError, match="zip"):
        bio_spans(labels[:3], offsets)


@pytest.mark.slow
def test_mentions_of_a_version(demo: Path) -> None:
    """Letter by letter, the labels give the mentions of every row."""
    rows = newsdata.load_dataset(demo, split="train", columns=["text", "mentions"])
    assert sum(len(row["mentions"]) for row in rows) > 10
    for row in rows:
        offsets = [(at, at + 1) for at in range(len(row["text"]))]
        made = bio_labels(row["mentions"], offsets, row["text"])
        spans = [{name: one[name] for name in ("start", "end", "kind")} for one in row["mentions"]]
        assert bio_spans(made.labels, offsets, row["text"]) == spans


def test_a_mention_without_a_character_has_no_token() -> None:
    made = bio_labels([{"start": 1, "end": 1, "kind": "a"}, {"start": 2, "end": 3, "kind": "b"}], [(0, 2), (2, 3)])
    assert (made.labels, made.exact, made.moved, made.dropped) == (["O", "B-b"], 1, 0, 1)


def test_minus_100_is_padding() -> None:
    offsets = [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert bio_spans([-100, "B-a", -100, "I-a"], offsets) == [{"start": 0, "end": 2, "kind": "a"}]


@pytest.mark.parametrize("label", ["o", "", "X-foo", "B", "I-", "O-a", 3, 1.5])
def test_a_label_of_another_scheme_is_refused(label: Any) -> None:
    with pytest.raises(CallError, match="labels: this is no BIO label"):
        bio_spans(["O", label], [(0, 1), (1, 2)])


def test_missing_mentions_and_kinds_are_refused() -> None:
    nothing: Any = None
    with pytest.raises(CallError, match=r"mentions: must be a list of mentions, got None; give \[\]"):
        bio_labels(nothing, [(0, 1)])
    for one in ({"start": 0, "end": 1, "kind": None}, {"start": 0, "end": 1}):
        with pytest.raises(CallError, match="kind: must be text, got None"):
            bio_labels([one], [(0, 1)])
