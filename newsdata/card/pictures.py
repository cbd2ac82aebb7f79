"""The pictures of the card, drawn from `Manifest.statistics` and `Manifest.accounting` alone: equal manifests give equal bytes.

Each picture stands beside a table with the same numbers. Text in a picture is drawn with the reader's fonts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..counts import noun, plural
from ..schema import SPLITS
from ..storage.manifest import Manifest
from .markdown import one_line, percent
from .svg import COLORS, SOFT, WIDTH, bars, fit, frame, line, scale, square, text
from .time_axis import TimeAxis, make_axis

__all__ = ["Picture", "bin_names", "draw_picture", "draw_pictures", "files_parts"]

_LEFT, _RIGHT = 660, WIDTH - 200  # of what is drawn over an axis, in tenths
_TOP, _BASE = 620, 2220
_LINE = 250  # between two lines of words
_TOPS = (1, 2, 4, 6, 8, *(step * 10**power for power in range(60) for step in (10, 12, 16, 20, 40, 60, 80)))
_BORDERS = ("validation_from", "test_from", "test_until")
_FILES = {
    "in_splits": "articles in a split",
    "excluded": "excluded articles",
    "merged_posts": "merged into another article",
    "rejects": "rejected",
    "ignored": "ignored: no posts, or redacted",
}
_FILE_COLORS = (COLORS["train"], COLORS["validation"], COLORS["newer"], COLORS["test"], COLORS["pale"])
_NAMES_WIDTH = 1750  # of the names of publishers


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the card.

    Attributes:
        path: in the version's folder.
        alt: what it shows, as a sentence with numbers.
        svg: the text of the file.
    """

    path: str
    alt: str
    svg: str


def draw_pictures(manifest: Manifest) -> tuple[Picture, ...]:
    """At most four pictures: articles over time, lengths, publishers, and where every file went.

    There is none if the manifest has no statistics, and none of publishers if these name none, as in versions without text.

    Args:
        manifest: of the version.
    """
    drawn = (draw_picture(manifest, name) for name in _DRAWN)
    return tuple(picture for picture in drawn if picture is not None)


def draw_picture(manifest: Manifest, name: str) -> Picture | None:
    """One of the pictures; None if there is nothing to draw.

    Args:
        manifest: of the version.
        name: "articles-over-time", "lengths", "publishers" or "files".
    """
    return None if manifest.statistics is None else _DRAWN[name](manifest)


def bin_names(bins: Sequence[int]) -> list[str]:
    """The names of bins of lengths: "0", "1 to 49", …, "6,400 or more".

    >>> bin_names([0, 1, 50, 100])
    ['0', '1 to 49', '50 to 99', '100 or more']
    """
    ends = [*bins[1:], None]
    return [
        f"{begin:,} or more" if end is None else f"{begin:,}" if end == begin + 1 else f"{begin:,} to {end - 1:,}"
        for begin, end in zip(bins, ends, strict=True)
    ]


def files_parts(accounting: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Where every file went: words and numbers whose sum is `files_seen`."""
    counts = {name: int(accounting.get(name) or 0) for name in _FILES}
    counts["in_splits"] = max(int(accounting.get("articles") or 0) - counts["excluded"], 0)
    return [(words, counts[name]) for name, words in _FILES.items()]


# ----------------------------------------------------------------------------------------------------- over time


def _time(manifest: Manifest) -> Picture | None:
    statistics = manifest.statistics or {}
    axis = make_axis(statistics["articles"], statistics["unit"])
    if axis is None:
        return None
    totals = {split: sum(counts.values()) for split, counts in statistics["articles"].items() if counts}
    splits = [split for split in SPLITS if split in totals]
    columns = [[axis.counts[split].get(number, 0) for split in splits] for number in range(axis.bars)]
    most = max(map(sum, columns))
    dates = manifest.accounting.get("dates_by_split", {})
    words = [f"{plural(totals[split], 'article')} in {split}{_span(dates.get(split))}" for split in splits]
    alt = f"Articles per {axis.unit}: {'; '.join(words)}. The most in one {axis.unit}: {most:,}."
    grid, top = _grid(most)
    legend = _legend([f"{split}{_since(split, manifest)}" for split in splits], splits, _BASE + 640)
    outside = f"not drawn, because their dates are far away: {axis.outside:,}" if axis.outside else ""
    below = _BASE + 640 + _LINE * ((len(splits) + 1) // 2)
    parts = [
        *grid,
        *_stacked(columns, top, splits, gap=0 if axis.bars > 60 else 1),
        *_borders(axis, manifest),
        *_time_labels(axis),
        *legend,
        text(200, below, outside, color=SOFT) if outside else "",
    ]
    svg = frame(below + (_LINE if outside else 0) - 50, f"Articles per {axis.unit}", alt, parts)
    return Picture(path="assets/articles-over-time.svg", alt=alt, svg=svg)


def _span(days: Sequence[str] | None) -> str:
    return f" ({days[0]} to {days[1]})" if days else ""


def _since(split: str, manifest: Manifest) -> str:
    """The border of a split, in words for the legend."""
    configuration = manifest.configuration
    first = configuration.get("validation_from") or configuration.get("test_from")
    if split == "train":
        return f" before {first}" if first else ""
    if split == "newer":
        return f" after {configuration['test_until']}" if configuration.get("test_until") else ""
    day = configuration.get(f"{split}_from")
    return f" from {day}" if day else ""


def _borders(axis: TimeAxis, manifest: Manifest) -> list[str]:
    """A dashed line where a split begins."""
    lines = []
    for name in _BORDERS:
        day = manifest.configuration.get(name)
        begins = date.fromisoformat(day).toordinal() + (name == "test_until") if day else 0
        place = axis.place(date.fromordinal(begins)) if 0 < begins <= date.max.toordinal() else None
        if place:
            x = _LEFT + (_RIGHT - _LEFT) * place // (1000 * axis.bars)
            lines.append(line(x, _TOP - 80, x, _BASE, SOFT, dashed=True))
    return lines


def _time_labels(axis: TimeAxis) -> list[str]:
    parts = []
    for place, words in axis.labels:
        x = _LEFT + (_RIGHT - _LEFT) * place // (1000 * axis.bars)
        half = 48 * len(words)
        parts += [
            line(x, _BASE, x, _BASE + 60, SOFT),
            text(min(max(x, 200 + half), _RIGHT + 100 - half), _BASE + 240, words, anchor="middle", color=SOFT),
        ]
    return parts


# ------------------------------------------------------------------------------------------------------- lengths


def _lengths(manifest: Manifest) -> Picture | None:
    statistics = manifest.statistics or {}
    bins, by_split = statistics["lengths"]["from"], statistics["lengths"]["articles"]
    splits = [split for split in SPLITS if sum(by_split.get(split, ()))]
    if not splits:
        return None
    columns = [[by_split[split][number] for split in splits] for number in range(len(bins))]
    totals = [*map(sum, columns)]
    names, best = bin_names(bins), totals.index(max(totals))
    alt = (
        f"Length of the text in characters: {percent(totals[best], sum(totals))} of {plural(sum(totals), 'article')} "
        f"have {names[best]}; {totals[0]:,} {noun(totals[0], 'has', 'have')} no text."
    )
    grid, top = _grid(max(totals))
    room = _RIGHT - _LEFT
    labels = [
        text(
            _LEFT + room * (2 * number + 1) // (2 * len(bins)), _BASE + 240, _short(begin), anchor="middle", color=SOFT
        )
        for number, begin in enumerate(bins)
        if len(bins) <= 12 or number % (len(bins) // 8) == 0
    ]
    words = text(_RIGHT, _BASE + 480, "characters; each bar begins at its number", anchor="end", color=SOFT)
    legend = _legend(splits, splits, _BASE + 790, across=4)
    parts = [*grid, *_stacked(columns, top, splits, gap=12), *labels, words, *legend]
    height = _BASE + 790 + 200
    return Picture(path="assets/lengths.svg", alt=alt, svg=frame(height, "Length of the text", alt, parts))


def _short(number: int) -> str:
    """A number in few characters.

    >>> _short(800), _short(6400), _short(20_000), _short(3_000_000)
    ('800', '6.4k', '20k', '3M')
    """
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            whole, rest = divmod(10 * number // size, 10)
            return f"{whole}.{rest}{letter}" if rest and whole < 100 else f"{whole}{letter}"
    return str(number)


# ---------------------------------------------------------------------------------------------------- publishers


def _publishers(manifest: Manifest) -> Picture | None:
    found = (manifest.statistics or {}).get("publishers")
    if not found or not found["top"]:
        return None
    rows = [(entry["name"], entry["articles"], COLORS["train"]) for entry in found["top"][:12]]
    others = found["names"] - len(rows)
    rows += [(plural(others, "other"), found["others"], COLORS["other"])] if others > 0 else []
    rows += [("none named", found["none"], COLORS["pale"])] if found["none"] else []
    first, total = found["top"][0], sum(count for _, count, _ in rows)
    alt = (
        f"Articles by publisher: {plural(found['names'], 'name')}; most, {first['articles']:,} of {total:,} articles, "
        f"come from {one_line(fit(first['name'], 10_000))}; {found['none']:,} {noun(found['none'], 'names', 'name')} no publisher."
    )
    most = max(count for _, count, _ in rows)
    left = 200 + _NAMES_WIDTH + 80
    parts = []
    for number, (name, count, color) in enumerate(rows):
        y = 690 + number * _LINE
        length = scale(count, most, WIDTH - left - 1000)
        parts += [
            text(200, y, fit(name, _NAMES_WIDTH)),
            bars([(left, y - 140, length, 170)], color),
            text(left + length + 70, y, f"{count:,}" if count < 10**8 else _short(count), color=SOFT),
        ]
    height = 690 + len(rows) * _LINE - 20
    label = f"Articles by publisher: {plural(found['names'], 'name')}."
    return Picture(path="assets/publishers.svg", alt=alt, svg=frame(height, "Publishers", label, parts))


# --------------------------------------------------------------------------------------------------------- files


def _files(manifest: Manifest) -> Picture | None:
    parts = files_parts(manifest.accounting)
    total = sum(count for _, count in parts)
    if not total:
        return None
    said = [f"{words} {count:,} ({percent(count, total)})" for words, count in parts if count]
    alt = f"Where {plural(total, 'file')} of the archive went: {'; '.join(said)}."
    drawn, room, done = [], WIDTH - 400, 0
    for number, (words, count) in enumerate(parts):
        begin, done = room * done // total, done + count
        width = room * done // total - begin
        color, y = _FILE_COLORS[number], 1150 + number * _LINE
        drawn += [
            bars([(200 + begin, 520, width, 330)], color),
            square(200, y, color),
            text(420, y, words),
            text(WIDTH - 1000, y, f"{count:,}", anchor="end"),
            text(WIDTH - 200, y, percent(count, total), anchor="end", color=SOFT),
        ]
    height = 1150 + len(parts) * _LINE - 20
    title = f"Where {plural(total, 'file')} went"
    return Picture(path="assets/files.svg", alt=alt, svg=frame(height, title, alt, drawn))


# ------------------------------------------------------------------------------------------------- common parts


def _grid(most: int) -> tuple[list[str], int]:
    """Lines and numbers of the vertical axis, and the number at its top."""
    top = next(top for top in _TOPS if top >= most)
    parts = []
    for value in (0, top // 2, top) if top > 1 else (0, top):
        y = _BASE - (_BASE - _TOP) * value // top
        number = f"{value:,}" if top < 10_000 else _short(value)
        parts += [line(_LEFT, y, _RIGHT, y, COLORS["pale"]), text(_LEFT - 80, y + 55, number, anchor="end", color=SOFT)]
    return parts, top


def _stacked(columns: Sequence[Sequence[int]], top: int, splits: Sequence[str], *, gap: int) -> list[str]:
    """Columns of bars above one another, one element a split.

    Args:
        columns: for each place the number of articles of each split.
        top: the number at the top of the axis.
        splits: their names.
        gap: between two columns, in hundredths of the room of a column; half of it on each side.
    """
    boxes: dict[str, list[tuple[int, int, int, int]]] = {split: [] for split in splits}
    room, height = _RIGHT - _LEFT, _BASE - _TOP
    for number, counts in enumerate(columns):
        begin, end = (room * (number + more) // len(columns) for more in (0, 1))
        margin = (end - begin) * gap // 100
        done = 0
        for split, count in zip(splits, counts, strict=True):
            low, done = scale(done, top, height), done + count
            high = max(scale(done, top, height), low)
            width = max(end - begin - 2 * margin, 8)
            boxes[split].append((_LEFT + begin + margin, _BASE - high, width, high - low))
    return [bars(boxes[split], COLORS[split]) for split in splits]


def _legend(words: Sequence[str], splits: Sequence[str], y: int, *, across: int = 2) -> list[str]:
    """The colours of the splits, two or `across` in a line."""
    parts = []
    for number, (split, name) in enumerate(zip(splits, words, strict=True)):
        x, below = 200 + 4920 // across * (number % across), y + _LINE * (number // across)
        parts += [square(x, below, COLORS[split]), text(x + 200, below, name)]
    return parts


_DRAWN: Mapping[str, Callable[[Manifest], Picture | None]] = {
    "articles-over-time": _time,
    "lengths": _lengths,
    "publishers": _publishers,
    "files": _files,
}
