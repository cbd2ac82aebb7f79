"""The command `info`: what is in a version, with a small chart of the articles over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import click

from ..counts import file_size, noun, plural
from ..storage.class_balance import CLASS_NOUNS
from .options import VERSION, json_option, revision_option
from .output import Line, Styled, columns, print_json, say, say_wrapped
from .table import NARROW, sparkline, table

__all__ = ["info"]

_PUBLISHERS = 5  # that are named
_UNSEEN = 5  # classes that train has not, and that are named
_SIGNS = 40  # the most signs of a chart
_DAYS, _MONTHS = (1, 2, 3, 7, 14, 28, 56, 91, 182, 364), (1, 2, 3, 6, 12, 24, 60, 120)  # that one sign may stand for
_OUTSIDE = (
    0.005  # the share of articles at each end that the chart may leave out, if it is four times as long with them
)


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@revision_option
@json_option
def info(directory: str, revision: str | None, as_json: bool) -> None:
    """Show counts, dates, splits, licence and citation of a version.

    DIR is its folder, or the folder that holds versions. A version on the Hub is written owner/name or owner/name@1.0.0.
    """
    from ..dataset.describe import info as describe

    facts = describe(directory, revision=revision)
    if as_json:
        print_json(facts)
        return
    commit = f", commit {facts['commit']}" if facts["commit"] else ""
    say(
        [Styled(f"{facts.get('pretty_name') or 'dataset'} {facts['version']}", "head"), f"   ({facts['path']}{commit})"]
    )
    for warning in _warnings(facts):
        say_wrapped("  ", warning)
    if any(size["rows"] for sizes in facts["configs"].values() for size in sizes.values()):
        say("", *_splits(facts), *_configs(facts))
    say("")
    for fact in _facts(facts):
        say_wrapped("  ", fact)
    say(*_publishers(facts["statistics"] or {}))
    if facts.get("citation"):
        say("", *facts["citation"].strip().split("\n"))


def _warnings(facts: Mapping[str, Any]) -> Iterator[str]:
    """What one should know first."""
    counts, text = facts["accounting"], facts["configuration"]["text"]
    if facts.get("yanked"):
        yield f"yanked: {facts['yanked']}"
    if text == "partial":
        of = counts.get("articles_of_release", 0)
        yield f"partial: {counts['articles']:,} of {of:,} articles of {facts['version']}, not the release itself"
    if text == "none":
        yield "without text: every column with the publishers' words is null; `newsdata rehydrate` fills them"
    for name, balance in (facts["statistics"] or {}).get("classes", {}).items():
        if balance["unseen"]["articles"]:
            yield _unseen(name, balance["unseen"])


def _unseen(name: str, unseen: Mapping[str, Any]) -> str:
    """The classes of test that train has not."""
    named = unseen["top"][:_UNSEEN]
    listed = ", ".join(f"{one['name']} ({one['articles']:,})" for one in named)
    more = f" and {unseen['names'] - len(named):,} more" if unseen["names"] > len(named) else ""
    return (
        f"{plural(unseen['articles'], 'article')} of test {noun(unseen['articles'], 'has', 'have')} one of"
        f" {plural(unseen['names'], name, CLASS_NOUNS.get(name, 'classes'))} that train has not: {listed}{more}"
    )


def _splits(facts: Mapping[str, Any]) -> Iterator[Line]:
    """A line for each split that has articles: how many, from when to when, and how they lie in time."""
    splits = {name: size["rows"] for name, size in facts["configs"]["articles"].items() if size["rows"]}
    if not splits:
        return
    room = columns()
    width = min(room - 50, _SIGNS) if room and room >= NARROW else _SIGNS if room is None else room - 16
    charts, legend = _charts(facts["statistics"] or {}, max(width, 8))
    rows = [
        [name, f"{count:,}", *facts["dates"].get(name, ("", "")), charts.get(name, "")]
        for name, count in splits.items()
    ]
    yield from table(["split", "articles", "from", "to", "over time" if legend else ""], rows, room=room, right=[1])
    if legend:
        yield [Styled(f"  {legend}", "quiet")]
    yield ""


def _configs(facts: Mapping[str, Any]) -> Iterator[Line]:
    """A line for each config that has rows."""
    rows = []
    for name, sizes in facts["configs"].items():
        if count := sum(size["rows"] for size in sizes.values()):
            size = sum(size["bytes"] for size in sizes.values())
            rows.append([name, f"{count:,}", file_size(size)])
    yield from table(["config", "rows", "size"], rows, room=columns(), right=[1, 2])


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    counts, configuration = facts["accounting"], facts["configuration"]
    excluded = f", {counts['excluded']:,} of them excluded" if counts["excluded"] else ""
    yield (
        f"{plural(counts['files_seen'], 'file')} = {plural(counts['posts'], 'post')} "
        f"+ {plural(counts['rejects'], 'reject')} + {counts['ignored']:,} ignored; "
        f"{plural(counts['articles'], 'article')}{excluded}"
    )
    if configuration["validation_from"]:
        yield (
            f"validation from {configuration['validation_from']}, test from {configuration['test_from']} "
            f"to {configuration['test_until']} ({configuration['timezone']})"
        )
    elif counts["articles"]:
        yield f"every article with a date is in train ({configuration['timezone']})"
    yield from _near_copies(facts)
    yield from _leaks(facts["leakage"] or {})
    if len(facts["versions"]) > 1:
        yanked = facts["yanked_versions"]
        yield "versions: " + ", ".join(f"{v} (yanked)" if v in yanked else v for v in facts["versions"])
    if facts.get("license"):
        yield f"licence: {facts['license']}"


def _near_copies(facts: Mapping[str, Any]) -> Iterator[str]:
    """The share of articles that have a near-copy: of each split, or of all articles where the splits are not counted."""
    if by_split := (facts["statistics"] or {}).get("near_copies"):
        rows = {split: size["rows"] for split, size in facts["configs"]["articles"].items() if size["rows"]}
        told = [f"{split} {_percent(by_split.get(split, 0), count)}" for split, count in rows.items()]
        yield f"articles with a near-copy: {', '.join(told)}"
    elif articles := facts["duplicates"].get("articles"):
        copies = facts["duplicates"].get("articles_with_copies", 0)
        yield f"articles with a near-copy: {_percent(copies, articles)}"


def _leaks(leakage: Mapping[str, Any]) -> Iterator[str]:
    """The share of each later split that is given away by train, as the card says it."""
    random = {
        row.get("split"): row.get("leak_any") for row in leakage.get("random", ()) if row.get("against") == "train"
    }
    shares = [
        (row.get("split"), row.get("leak_any")) for row in leakage.get("pairs", ()) if row.get("against") == "train"
    ]
    told = [
        f"{split} {_percent(share, 1)} (at random {_percent(random.get(split) or 0, 1)})"
        for split, share in shares
        if share is not None
    ]
    if told:
        yield f"leak from train: {', '.join(told)}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if part else "none"


def _publishers(statistics: Mapping[str, Any]) -> Iterator[Line]:
    """The publishers with the most articles."""
    publishers = statistics.get("publishers")
    if not publishers or not publishers["top"]:
        return
    top = publishers["top"][:_PUBLISHERS]
    rest = publishers["others"] + sum(one["articles"] for one in publishers["top"][_PUBLISHERS:])
    more = publishers["names"] - len(top)
    rows: list[list[str]] = [[f"{one['articles']:,}", one["name"]] for one in top]
    if rest:
        rows.append([f"{rest:,}", f"from {more:,} other {noun(more, 'publisher')}"])
    if publishers["none"]:
        rows.append([f"{publishers['none']:,}", "without a publisher"])
    yield ""
    yield from table(["articles", "publisher"], rows, room=columns(), right=[0], flexible=1)


def _charts(statistics: Mapping[str, Any], width: int) -> tuple[dict[str, str], str]:
    """A chart of each split on one axis of time, at most `width` signs, and what the signs mean."""
    unit = statistics.get("unit", "day")
    counts = {
        split: {_position(name, unit): count for name, count in by_time.items()}
        for split, by_time in statistics.get("articles", {}).items()
    }
    total: dict[int, int] = {}
    for by_time in counts.values():
        for at, count in by_time.items():
            total[at] = total.get(at, 0) + count
    if not any(total.values()):
        return {}, ""
    first, last = _axis(total)
    step = _step(last - first + 1, width, _DAYS if unit == "day" else _MONTHS)
    bars = {split: [0] * ((last - first) // step + 1) for split in counts}
    for split, by_time in counts.items():
        for at, count in by_time.items():
            if first <= at <= last:
                bars[split][(at - first) // step] += count
    highest = max(max(row) for row in bars.values())
    outside = sum(count for at, count in total.items() if not first <= at <= last)
    legend = f"one sign is {plural(step, unit)}, the highest is {plural(highest, 'article')}"
    if outside:
        legend += f"; {outside:,} long before or after"
    return {split: sparkline(row, highest).rstrip() for split, row in bars.items()}, legend


def _position(name: str, unit: str) -> int:
    """The number of a day (YYYY-MM-DD) or month (YYYY-MM)."""
    return date.fromisoformat(name).toordinal() if unit == "day" else int(name[:4]) * 12 + int(name[5:7])


def _axis(total: Mapping[int, int]) -> tuple[int, int]:
    """The first and last position to draw. A few articles far from all others, whose dates may be wrong, are left out."""
    places = sorted(total)
    few = sum(total.values()) * _OUTSIDE
    first = last = 0
    for ends, order in ((0, places), (1, places[::-1])):
        passed = 0
        for at in order:
            passed += total[at]
            if passed > few:
                first, last = (at, last) if not ends else (first, at)
                break
    whole = places[-1] - places[0] + 1
    return (first, last) if 4 * (last - first + 1) < whole else (places[0], places[-1])


def _step(span: int, width: int, steps: tuple[int, ...]) -> int:
    """How many days or months one sign stands for.

    >>> _step(183, 30, _DAYS), _step(100_000, 30, _DAYS)
    (7, 3640)
    """
    fitting = [
        step * times for times in (1, 10, 100, 1000, 10_000) for step in steps if -(-span // (step * times)) <= width
    ]
    return min(fitting)
