"""Copies that hide in digests and roundups: the reported leak is at least 90 % of the true one, with doors open and shut."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import newsdata
from newsdata.near_duplicates.leakage import gather, leaked

from ..conftest import ROOT, write_archive
from .made_articles import matched

EDITED = 0.25
"""The share of copies that are edited, where some are."""
KINDS = ("same-digest", "digest-first", "digest-is-text", "roundup")
FIRST = date(2022, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """One article; `partners` are the numbers of those that give it away."""

    title: str
    digest: str
    text: str
    day: int
    partners: tuple[int, ...]


def hidden(
    script: str, cases: int, size: int, monkeypatch: pytest.MonkeyPatch, *, edited: float = 0, flash_words: int = 0
) -> list[Hidden]:
    """`cases` of each kind of leak among plain articles, `size` in all, each on a day of its own choice.

    Args:
        script, cases, size: what is made.
        edited: the share of copies that have another lead, a title in front, or no end.
        flash_words: the words of a flash in a roundup; 0 for nine and more.
    """
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import quality_kinds

    rng = random.Random(f"{script} {cases}")
    made = quality_kinds.tell(script, cases, kinds=KINDS)
    voices = [case for kind in KINDS for case in made[kind]]
    if flash_words:
        for case in made["roundup"]:
            case[1:] = [replace(one, text=" ".join(one.text.split()[:flash_words])) for one in case[1:]]
            case[0] = replace(case[0], text="\n".join(one.text for one in case[1:]))
    for case in made["roundup"]:  # half of them as one paragraph, or with numbers before the flashes
        how, flashes = rng.randrange(4), [one.text for one in case[1:]]
        if how < 2:
            listed = [f"{number}) {text}" for number, text in enumerate(flashes, 1)] if how else flashes
            case[0] = replace(case[0], text="\n".join(listed) if how else " ".join(listed))
    for kind in KINDS if edited else ():
        for case in made[kind]:
            for at, one in enumerate(case[1:], 1):
                if kind == "roundup" and rng.random() < edited:
                    case[at] = replace(one, text=_edited(rng, script, one.text))
                elif kind != "roundup" and rng.random() < edited:
                    case[at] = replace(one, digest=_edited(rng, script, one.digest))
    articles: list[Hidden] = []
    for case in voices:
        first, others = len(articles), range(len(articles) + 1, len(articles) + len(case))
        for at, one in enumerate(case):
            partners = (first,) if at else tuple(others)
            articles.append(_hidden(one, rng.randrange(200), partners))
    plain = quality_kinds.tell(script, size - len(articles), seed=2, kinds=["same-digest"])["plain"]
    for (one,) in plain[: size - len(articles)]:
        text = one.text if rng.random() < 0.5 else one.text.splitlines()[0]
        articles.append(_hidden(replace(one, text=text), rng.randrange(200), ()))
    return articles


def _edited(rng: random.Random, script: str, text: str) -> str:
    """Words with another lead of about ten characters, with a title in front, or without a tenth to a quarter at the end."""
    space = "" if script == "han" else " "
    made = ["".join(rng.choices("锦岚汀砚漓沅" if script == "han" else "bdgklm", k=5)) for _ in range(2)]
    parts = list(text) if script == "han" else text.split()
    cut = space.join(parts[: len(parts) - max(1, round(len(parts) * rng.uniform(0.1, 0.25)))])
    return rng.choice((f"{space.join(made)}，{space}{text}", f"【{space.join(made)}】{text}", cut))


def _hidden(one: Any, day: int, partners: tuple[int, ...]) -> Hidden:
    return Hidden(title=one.title, digest=one.digest, text=one.text, day=day, partners=partners)


def true_leak(articles: Sequence[Hidden], seen: set[int], tested: set[int]) -> float:
    return sum(not seen.isdisjoint(articles[number].partners) for number in tested) / len(tested)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "edited", "flash_words"),
    [("han", 0, 0), ("latin", 0, 0), ("han", EDITED, 0), ("latin", EDITED, 0), ("latin", 0, 4)],
)
def test_the_reported_leak_is_nearly_the_true_one(
    script: str, edited: float, flash_words: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = hidden(script, 30, 800, monkeypatch, edited=edited, flash_words=flash_words)
    names = [f"{number:04}" for number in range(len(articles))]
    rows = [(name, one.text or one.digest, 19000 + one.day, None) for name, one in zip(names, articles, strict=True)]
    heads = {name: (one.title, one.digest or None) for name, one in zip(names, articles, strict=True)}
    pairs, files = matched(tmp_path, rows, per_file=400, heads=heads)
    tested = np.array([one.day >= 140 for one in articles])
    counted = leaked(gather(pairs, files, pa.array(names)), ~tested, tested)
    true = true_leak(articles, {*np.flatnonzero(~tested).tolist()}, {*np.flatnonzero(tested).tolist()})
    reported = counted["leak_any"] / tested.sum()
    assert true > 0.2 and 0.9 * true <= reported <= true, counted
    assert counted["leak_any"] > max(counted[way] for way in counted if way != "leak_any"), (
        "more than one way is needed"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("cases", "shut", "edited"), [(60, True, 0), (60, True, EDITED), (3, False, 0)])
def test_in_a_build_whose_doors_are_shut_or_open(
    cases: int, shut: bool, edited: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = hidden("han", cases, 2000, monkeypatch, edited=edited)
    files = {}
    for number, one in enumerate(articles):
        day = FIRST + timedelta(days=one.day)
        head = {"title": one.title, "date": f"{day} 09:00:00", **({"description": one.digest} if one.digest else {})}
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
        body = one.text.replace("\n", "\n\n")
        files[f"_posts/{day}-n{number:04}.md"] = "\n".join(["---", *lines, "---", body, ""]).encode()
    made = newsdata.build(write_archive(tmp_path / "in", files), tmp_path / "out", num_proc=1)
    assert made.manifest.duplicates["doors"]["contained"] is not shut
    splits = {
        split: {int(name[-4:]) for name in newsdata.load_pandas(tmp_path / "out", split=split)["article_id"]}
        for split in ("train", "test")
    }
    true = true_leak(articles, splits["train"], splits["test"])
    assert made.manifest.leakage
    (row,) = [row for row in made.manifest.leakage["pairs"] if (row["split"], row["against"]) == ("test", "train")]
    assert 0.9 * true <= row["leak_any"] <= true + 0.01 and (true > 0.1) is shut
    card = (made.path / "README.md").read_text("utf-8")
    (line,) = [line for line in card.splitlines() if line.startswith("| this version | test | train |")]
    assert f"| {100 * row['leak_any']:.1f}% |" in line or row["leak_any"] == 0
