"""Articles made for the tests of near-duplicates, and the short way from them to pairs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from newsdata.near_duplicates.boilerplate import Boilerplate
from newsdata.near_duplicates.pairs import DOORS, MEASURED, Pairs, match
from newsdata.near_duplicates.signatures import Words, sign, write_signatures

NONE = Boilerplate.of(np.zeros(0, np.uint32))
Row = tuple[str, str, int | None, str | None]
"""Article id, text, day, address."""
Heads = Mapping[str, tuple[str | None, str | None]]
"""Article id -> title, digest."""


def words(seed: int, length: int = 300) -> str:
    """Chinese-looking text that shares nothing with that of another seed."""
    rng = random.Random(seed)
    return "".join("".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(12)) + "，" for _ in range(length // 12))


def row(article_id: str, text: str, day: int | None = 19000, url: str | None = None) -> Row:
    return article_id, text, day, url


def fund(number: int, rng: random.Random) -> str:
    value, total, gain = rng.uniform(1, 9), rng.uniform(1, 9), rng.uniform(1, 9)
    return (
        f"基金{words(1000 + number, 12)[:3]}最新单位净值为{value:.4f}元，累计净值为{total:.4f}元，"
        f"近一个月收益率为{gain:.2f}%，同类基金排名第{rng.randint(1, 999)}名，"
        f"该基金由{words(number, 12)[:3]}管理"
    )


def matched(
    folder: Path,
    rows: Sequence[Row],
    boilerplate: Boilerplate = NONE,
    per_file: int = 7,
    heads: Heads | None = None,
    langs: Mapping[str, str] | None = None,
) -> tuple[Pairs, list[Path]]:
    files = []
    for begin in range(0, len(rows), per_file):
        some = rows[begin : begin + per_file]
        files.append(folder / f"{begin}.arrow")
        ids, texts, days, urls = (list(column) for column in zip(*some, strict=True))
        given = replace(Words.of(texts), urls=urls)
        if heads is not None:
            titles, digests = zip(*(heads.get(name, (None, None)) for name in ids), strict=True)
            given = replace(given, titles=titles, digests=digests)
        given = replace(given, langs=[(langs or {}).get(name) for name in ids])
        write_signatures(sign(ids, given, days, boilerplate), files[-1])
    return match(files), files


def joined(
    folder: Path,
    rows: Sequence[Row],
    boilerplate: Boilerplate = NONE,
    heads: Heads | None = None,
    langs: Mapping[str, str] | None = None,
) -> set[tuple[str, str]]:
    """The pairs of near-copies, without those that leak by another way."""
    table = matched(folder, rows, boilerplate, heads=heads, langs=langs)[0].table.to_pylist()
    return {(pair["left"], pair["right"]) for pair in table if pair["rule"] not in (*DOORS, *MEASURED)}
