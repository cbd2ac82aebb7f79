"""Articles made for the tests of near-duplicates, and the short way from them to pairs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from newsdata.near_duplicates.boilerplate import Boilerplate
from newsdata.near_duplicates.pairs import Pairs, match
from newsdata.near_duplicates.signatures import sign, write_signatures

NONE = Boilerplate.of(np.zeros(0, np.uint32))
Row = tuple[str, str, int | None, str | None]
"""Article id, text, day, address."""


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
    folder: Path, rows: Sequence[Row], boilerplate: Boilerplate = NONE, per_file: int = 7
) -> tuple[Pairs, list[Path]]:
    files = []
    for begin in range(0, len(rows), per_file):
        some = rows[begin : begin + per_file]
        files.append(folder / f"{begin}.arrow")
        ids, texts, days, urls = (list(column) for column in zip(*some, strict=True))
        write_signatures(sign(ids, texts, days, urls, boilerplate), files[-1])
    return match(files), files


def joined(folder: Path, rows: Sequence[Row], boilerplate: Boilerplate = NONE) -> set[tuple[str, str]]:
    table = matched(folder, rows, boilerplate)[0].table
    return set(zip(table["left"].to_pylist(), table["right"].to_pylist(), strict=True))
