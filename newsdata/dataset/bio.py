"""Mentions as BIO labels of tokens, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CallError

__all__ = ["BioLabels", "bio_labels", "bio_spans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BioLabels:
    """The labels of the tokens of a text, and what became of its mentions.

    Attributes:
        labels: for each token "B-security" (the first one of a mention; also "board" and "glossary"), "I-security" (the
            others), "O" (no mention), or None for special tokens and padding, which a loss leaves out (-100).
        exact: how many mentions `bio_spans` gives back as they are.
        moved: how many it gives back with other bounds, because a token holds more than the mention, or because the
            text was cut off.
        dropped: how many have no token of their own.
    """

    labels: list[str | None]
    exact: int
    moved: int
    dropped: int


def bio_labels(
    mentions: Iterable[Mapping[str, Any]], offsets: Sequence[tuple[int, int]], text: str | None = None
) -> BioLabels:
    """Label the tokens of a text that stand in a mention.

    A token counts as part of a mention if they share a character, so where a mention begins or ends inside of a token it
    is widened to the whole token. A token that two mentions share is of the first one. A mention without a character has
    no token.

    Args:
        mentions: dictionaries with `start`, `end` and `kind`, as the column `mentions` has them.
        offsets: for each token its start and end in the text, in code points, as fast tokenizers give them
            (`return_offsets_mapping=True`, or `Encoding.offsets`). Empty ones are special tokens. They are those of one
            sequence: offsets of a pair begin again at 0 in the second text.
        text: the text. With it, blanks at the edges of tokens do not count, as some tokenizers keep the blank before a word.

    Raises:
        CallError: `mentions` or a `kind` is missing.

    >>> mentions = [{"start": 0, "end": 4, "kind": "security"}, {"start": 5, "end": 9, "kind": "security"}]
    >>> made = bio_labels(mentions, [(0, 0), (0, 2), (2, 4), (4, 5), (5, 10), (0, 0)])
    >>> made.labels
    [None, 'B-security', 'I-security', 'O', 'B-security', None]
    >>> made.exact, made.moved, made.dropped
    (1, 1, 0)
    """
    if mentions is None:
        raise CallError("must be a list of mentions, got None", field="mentions", hint="give [] for a text without any")
    mentions = list(mentions)
    for one in mentions:
        if not isinstance(one.get("kind"), str):
            raise CallError(f"must be text, got {one.get('kind')!r:.100}", field="kind", hint='for example "security"')
    wanted = sorted((one for one in mentions if one["start"] < one["end"]), key=lambda one: (one["start"], one["end"]))
    labels: list[str | None] = []
    bounds: dict[int, tuple[int, int]] = {}
    number = 0
    for start, end in _trimmed(offsets, text):
        if start == end:
            labels.append(None)
            continue
        while number < len(wanted) and wanted[number]["end"] <= start:
            number += 1
        if number == len(wanted) or wanted[number]["start"] >= end:
            labels.append("O")
            continue
        labels.append(("I-" if number in bounds else "B-") + wanted[number]["kind"])
        bounds[number] = (bounds[number][0] if number in bounds else start, end)
    exact = sum((wanted[at]["start"], wanted[at]["end"]) == found for at, found in bounds.items())
    return BioLabels(labels=labels, exact=exact, moved=len(bounds) - exact, dropped=len(mentions) - len(bounds))


def bio_spans(
    labels: Sequence[str | int | None], offsets: Sequence[tuple[int, int]], text: str | None = None
) -> list[dict[str, Any]]:
    """The spans that BIO labels mean, for example those that a model gives. The reverse of `bio_labels`.

    An I without a B before it, or of another kind, begins a span, too.

    Args:
        labels: one for each token, see `BioLabels`; -100 is the same as None.
        offsets, text: as for `bio_labels`.

    Returns:
        dictionaries with `start`, `end` and `kind`, in the order of the text.

    Raises:
        ValueError: there are not as many labels as offsets.
        CallError: a label is not "O", None, -100, or "B-" or "I-" with a kind.

    >>> bio_spans(["O", "B-board", "I-board", "B-board"], [(0, 1), (1, 2), (2, 4), (4, 5)])
    [{'start': 1, 'end': 4, 'kind': 'board'}, {'start': 4, 'end': 5, 'kind': 'board'}]
    """
    spans: list[dict[str, Any]] = []
    is_open = False
    for label, (start, end) in zip(labels, _trimmed(offsets, text), strict=True):
        if label is None or (not isinstance(label, str) and label == -100):
            continue
        place, _, kind = label.partition("-") if isinstance(label, str) else ("", "", "")
        if label != "O" and (place not in ("B", "I") or not kind):
            hint = 'write "O", "B-security" or "I-security", and None or -100 for tokens that do not count'
            raise CallError(f"this is no BIO label: {label!r:.100}", field="labels", hint=hint)
        if place == "I" and is_open and spans[-1]["kind"] == kind:
            spans[-1]["end"] = end
        elif place != "O":
            spans.append({"start": start, "end": end, "kind": kind})
        is_open = place != "O"
    return spans


def _trimmed(offsets: Iterable[tuple[int, int]], text: str | None) -> Iterable[tuple[int, int]]:
    """The offsets without the blanks at both edges; a token of blanks alone stays."""
    if text is None:
        yield from offsets
        return
    for start, end in offsets:
        token = text[start:end]
        words = token.strip()
        before = len(token) - len(token.lstrip())
        yield (start + before, start + before + len(words)) if words else (start, end)
