"""What a build of N posts will cost: `python scripts/scale_model.py --posts 100000000 --machines 4 --price-per-hour 0.8`.

It measures builds of small synthetic archives on this machine (scripts/scale_measure.py), fits for each step how its costs grow,
and adds them up for N posts: processor time, memory, bytes, wall time, money; and it says which step breaks first. `--save FILE`
keeps what was measured; with `--measured FILE` nothing is built. `--check FILE` compares predictions with builds measured in
another run. Real posts are larger or smaller than synthetic ones: `--archive` measures a folder of yours as well.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from benchmark import table
from scale_limits import COMPARED, DECIDE, DRIVER, Limit, limits
from scale_measure import Measured, Sample, load, measure, save

from newsdata.graph.engine import partitions_of

__all__ = ["Asked", "Law", "Prediction", "Step", "check", "fit", "predict", "show"]

_SIZES = "10000,40000"  # so many that worker processes run, as in large builds
_PARALLEL = ("parse", "sign", "write")
_SORTS = ("merge", "group", "split")  # these grow as n log n
_A_CANDIDATE = 40e-6
"""Seconds of processor time to compare two articles; measured at 68,000 articles. Small archives have too few to measure it."""
_CANDIDATES_GROW = 1.36
"""The exponent of candidates over articles beyond those measured, as between 27,000 and 680,000 synthetic articles."""
_LISTED = 1e-5
"""Seconds of processor time to list a file that is known; measured at 100,000 posts. Starting hides it in small builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: so many posts, machines with so many cores and so much memory (10^9 bytes), a price of one of them for
    an hour, and the number of partitions (None: newsdata chooses)."""

    posts: int
    machines: int = 1
    cores: int = 1
    memory_gb: float = 16.0
    price: float = 0.0
    partitions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How a cost grows: `fixed + each * n`, or `fixed + each * n * log2 n` for what sorts."""

    fixed: float
    each: float
    sorts: bool = False

    def at(self, posts: float) -> float:
        """The cost for so many posts.

        >>> Law(fixed=1.0, each=0.5).at(10)
        6.0
        """
        return self.fixed + self.each * _size(posts, sorts=self.sorts)


def _size(posts: float, *, sorts: bool) -> float:
    return posts * math.log2(max(posts, 2)) if sorts else posts


def fit(points: Sequence[tuple[float, float]], *, sorts: bool = False) -> Law:
    """The law through points (number of posts, cost), neither part below zero. Every point counts alike by its ratio.

    >>> fit([(1000, 3.0), (2000, 5.0)])
    Law(fixed=1.0, each=0.002, sorts=False)
    >>> fit([(1000, 1.0), (2000, 4.0)]).fixed
    0.0
    """
    sized = [(_size(n, sorts=sorts), cost, max(cost, 1e-9) ** -2) for n, cost in points]
    whole = sum(w for _, _, w in sized)
    x, y = (sum(row[k] * row[2] for row in sized) / whole for k in (0, 1))
    spread = sum(w * (n - x) ** 2 for n, _, w in sized)
    each = sum(w * (n - x) * (cost - y) for n, cost, w in sized) / spread if spread else y / x
    if each < 0:
        return Law(fixed=y, each=0.0, sorts=sorts)
    if y - each * x < 0 or not spread:
        weights = sum(w * n * n for n, _, w in sized)
        return Law(fixed=0.0, each=sum(w * n * cost for n, cost, w in sized) / weights, sorts=sorts)
    return Law(fixed=round(y - each * x, 9), each=each, sorts=sorts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the build: its seconds of processor time, those of them that one process alone must spend, and
    how the seconds grow from here on: with n to the power of `exponent`."""

    name: str
    cpu: float
    alone: float
    exponent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Costs of a build. Memory and bytes are in bytes, times in seconds.

    Attributes:
        asked: what was asked.
        partitions: into how many parts the steps over all posts are divided.
        candidates: pairs of articles that are compared.
        steps: the costs by step.
        cpu, wall, cost: of all.
        driver: private memory of the first process at its peak.
        tree: memory of the first machine's processes at its peak, mapped files among it.
        source: bytes of the posts.
        stored: of OUT, with the cache.
        moved: bytes that tasks read and write; over the network, if OUT is a bucket or SOURCE and OUT are shared folders.
        limits: what breaks, in the order of the posts at which it does.
    """

    asked: Asked
    partitions: int
    candidates: float
    steps: Sequence[Step]
    cpu: float
    wall: float
    cost: float
    driver: float
    tree: float
    source: float
    stored: float
    moved: float
    limits: Sequence[Limit]


# ---------------------------------------------------------------------------------------------------- predicting


def predict(measured: Measured, asked: Asked) -> Prediction:
    """What a build will cost.

    Args:
        measured: at least two builds of different sizes in one part, and for more than one partition two in several.
        asked: the posts and machines.
    """
    whole = [one for one in measured.samples if one.partitions == 1]
    if len({one.posts for one in whole}) < 2:
        raise ValueError(
            "builds of at least two sizes in one part are needed; measure again with two numbers in --sizes"
        )
    n, parts = asked.posts, asked.partitions or partitions_of(asked.posts)
    articles = n * fit([(one.posts, one.articles) for one in whole]).each
    candidates = _candidates(whole, articles)
    names = _steps(whole)
    costs = [_cost(name, measured, n, parts, candidates) for name in names]
    doubled = asked.partitions or partitions_of(2 * n)
    later = [_cost(name, measured, 2 * n, doubled, _candidates(whole, 2 * articles))[0] for name in names]
    steps = [
        Step(name=name, cpu=cpu, alone=alone, exponent=math.log2(more / cpu) if cpu else 0.0)
        for name, (cpu, alone), more in zip(names, costs, later, strict=True)
    ]
    hosts = asked.machines * asked.cores
    wall = sum(step.alone + (step.cpu - step.alone) / min(hosts, _wide(step.name, parts)) for step in steps)

    def stored(kind: str) -> float:
        return fit([(one.posts, one.stored.get(kind, 0)) for one in whole]).at(n)

    kinds = sorted({kind for one in whole for kind in one.stored})
    source = fit([(one.posts, one.source) for one in whole]).at(n)
    everything = sum(map(stored, kinds))
    readers = min(parts, asked.machines)
    moved = 2 * source + everything + 2 * stored("spool") + readers * (stored("keys") + 2 * stored("signatures"))
    return Prediction(
        asked=asked,
        partitions=parts,
        candidates=candidates,
        steps=steps,
        cpu=sum(step.cpu for step in steps),
        wall=wall,
        cost=wall / 3600 * asked.machines * asked.price,
        driver=_driver(whole, n),
        tree=_tree(whole, n, articles, candidates),
        source=source,
        stored=everything,
        moved=moved,
        limits=limits(
            memory=asked.memory_gb * 1e9,
            cores=asked.cores,
            articles_a_post=articles / n,
            bytes_a_post=source / n,
            partitions=partitions_of if asked.partitions is None else lambda _: parts,
            candidates=lambda posts: _candidates(whole, posts * articles / n),
        ),
    )


def _steps(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(name for one in samples for name in one.cpu if any(s.cpu.get(name) for s in samples)))


def _wide(name: str, parts: int) -> float:
    """How many processes can share a step."""
    return parts if name in ("merge", "group") else math.inf


def _cost(name: str, measured: Measured, n: int, parts: int, candidates: float) -> tuple[float, float]:
    """Seconds of processor time of a step over n posts, and those of them that one process alone must spend: all, except
    what `_PARALLEL` names, hashing, comparing and the work of further partitions."""
    whole = [one for one in measured.samples if one.partitions == 1]
    each = _A_CANDIDATE if name == "group" else 0.0
    points = [(float(one.posts), max(0.0, one.cpu.get(name, 0.0) - each * one.candidates)) for one in whole]
    law = fit(points, sorts=name in _SORTS)
    cpu = law.at(n)
    alone = law.fixed if name in _PARALLEL else cpu
    if name == "list":  # listing is what a build without changes does, too
        most = max(whole, key=lambda one: one.posts)
        alone = min(cpu, max(0.0, most.again + _LISTED * (n - most.posts)))
    if name in ("merge", "group"):
        cpu += each * candidates + (parts - 1) * _a_part(name, measured).at(n)
    return cpu, alone


def _a_part(name: str, measured: Measured) -> Law:
    """What one more partition costs: each reads the keys of all posts, or of all articles."""
    one_part = {one.posts: one.cpu.get(name, 0.0) for one in measured.samples if one.partitions == 1}
    points = [
        (float(one.posts), max(0.0, one.cpu.get(name, 0.0) - one_part[one.posts]) / (one.partitions - 1))
        for one in measured.samples
        if one.partitions > 1 and one.posts in one_part
    ]
    return fit(points) if points else Law(fixed=0.0, each=0.0)


def _candidates(whole: Sequence[Sample], articles: float) -> float:
    """Pairs to compare: they grow in a line up to the largest archive that was measured, and faster beyond."""
    most = max(whole, key=lambda one: one.articles)
    growth = articles / max(most.articles, 1)
    return most.candidates * (growth**_CANDIDATES_GROW if growth > 1 else growth)


def _driver(whole: Sequence[Sample], n: int) -> float:
    """The fixed part hides what a post adds in builds of a few thousand posts, so that comes from one of 1,000,000 posts."""
    most = max(whole, key=lambda one: one.posts)
    return max(most.driver.values()) * 1e6 + DRIVER * (n - most.posts)


def _tree(whole: Sequence[Sample], n: int, articles: float, candidates: float) -> float:
    """The stage with the most memory: the driver grows in each of them, and in `group` the task that decides on all pairs."""
    most = max(whole, key=lambda one: one.posts)
    deciding = DECIDE * (articles - most.articles) + COMPARED * (candidates - most.candidates)
    stages = {name: peak * 1e6 + (deciding if name == "group" else 0.0) for name, peak in most.tree.items()}
    return max(stages.values()) + DRIVER * (n - most.posts)


# ---------------------------------------------------------------------------------------------------- comparing


def check(measured: Measured, other: Measured) -> list[dict[str, object]]:
    """Predictions for the builds of `other`, and what these took: a row for each build and cost."""
    rows: list[dict[str, object]] = []
    for one in other.samples:
        made = predict(measured, Asked(posts=one.posts, partitions=one.partitions))
        both: Mapping[str, tuple[float, float]] = {
            "processor s": (made.cpu, sum(one.cpu.values())),
            "driver MB": (made.driver / 1e6, max(one.driver.values())),
            "tree MB": (made.tree / 1e6, max(one.tree.values())),
            "disk MB": (made.stored / 1e6, sum(one.stored.values()) / 1e6),
            **{f"  {step.name} s": (step.cpu, one.cpu.get(step.name, 0.0)) for step in made.steps},
        }
        for what, (predicted, took) in both.items():
            off = f"{predicted / took - 1:+.0%}" if took else "-"
            rows.append(
                {"posts": one.posts, "what": what, "predicted": round(predicted, 3), "measured": took, "off": off}
            )
    return rows


# ----------------------------------------------------------------------------------------------------- printing


def show(made: Prediction) -> str:
    """A prediction as text of at most 80 columns."""
    asked = made.asked
    lines = [
        f"{asked.posts:,} posts on {asked.machines} x {asked.cores} cores with {asked.memory_gb:g} GB, "
        f"{made.partitions:,} partitions",
        "",
        f"processor time  {_time(made.cpu)}",
        f"wall time       {_time(made.wall)}",
        f"cost            {made.cost:,.2f}" if asked.price else "cost            - (no --price-per-hour)",
        f"memory          driver {_bytes(made.driver)}, all processes of its machine {_bytes(made.tree)}",
        f"bytes           source {_bytes(made.source)}, stored {_bytes(made.stored)}, moved {_bytes(made.moved)}",
        f"compared        {made.candidates:.1e} pairs of articles",
        "",
    ]
    rows = [
        {
            "step": step.name,
            "processor": _time(step.cpu),
            "share": f"{step.cpu / made.cpu:.0%}",
            "in one process": _time(step.alone),
            "grows as": f"n^{step.exponent:.2f}",
        }
        for step in made.steps
    ]
    lines += [table(rows), "", _verdict(made), ""]
    limit_rows = [
        {"breaks at": f"{one.posts:.1e}", "step": one.step, "because": one.why, "in": one.source.rpartition("/")[2]}
        for one in made.limits
    ]
    return "\n".join([*lines, table(limit_rows)])


def _verdict(made: Prediction) -> str:
    most = max(made.steps, key=lambda step: step.cpu)
    fastest = max((step for step in made.steps if step.cpu > made.cpu / 100), key=lambda step: step.exponent)
    always = [one for one in made.limits if not one.only_if]
    broken = [one for one in always if one.posts < made.asked.posts]
    told = f"{most.name} takes the most time; {fastest.name} grows fastest, as n^{fastest.exponent:.2f}. "
    if not broken:
        told += f"Nothing breaks. First would be {always[0].step}, at {always[0].posts:.1e} posts."
    else:
        later = ", ".join(dict.fromkeys(one.step for one in broken[1:])) or "nothing more"
        told += (
            f"{broken[0].step} breaks first, at {broken[0].posts:.1e} posts: {broken[0].why}. Then: {later}. "
            "The costs are those of a build that could go on nevertheless."
        )
    return textwrap.fill(told, 80)


def _time(seconds: float) -> str:
    """
    >>> _time(90), _time(7200)
    ('90 s', '2.0 h')
    """
    if seconds < 3600:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"
    return f"{seconds / 3600:,.1f} h" if seconds < 360_000 else f"{seconds / 3600:,.0f} h"


def _bytes(number: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:,.3g} {unit}"
    return f"{number:,.0f} B"


def _at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type for argparse: a number that is not below `least`."""

    def number(value: str) -> Any:
        if (made := kind(value)) < least:
            raise ValueError
        return made

    number.__name__ = f"number (at least {least:g})"
    return number


def main() -> None:
    """Predict what a build costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whole, amount = _at_least(1, int), _at_least(0, float)
    parser.add_argument("--posts", type=whole, required=True, metavar="N", help="up to 10,000,000,000")
    parser.add_argument("--machines", type=whole, default=1, metavar="M")
    parser.add_argument("--price-per-hour", type=amount, default=0.0, metavar="X", help="of one machine")
    parser.add_argument("--cores", type=whole, default=os.cpu_count() or 1, metavar="C", help="(default: as here)")
    parser.add_argument("--memory-gb", type=amount, default=psutil.virtual_memory().total / 1e9, metavar="G")
    parser.add_argument("--partitions", type=whole, metavar="P", help="as for newsdata build")
    parser.add_argument("--measured", type=Path, metavar="FILE", help="from --save: build nothing")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what is measured")
    parser.add_argument(
        "--sizes", default=_SIZES, help="posts of the synthetic archives, with commas (default: %(default)s)"
    )
    parser.add_argument("--archive", type=Path, action="append", default=[], help="also build this one")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare with these builds, from --save")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    try:
        sizes = [int(size) for size in asked.sizes.split(",")]
        measured = load(asked.measured) if asked.measured else measure(sizes, asked.archive)
        if asked.save:
            save(measured, asked.save)
        made = predict(
            measured,
            Asked(
                posts=asked.posts,
                machines=asked.machines,
                cores=asked.cores,
                memory_gb=asked.memory_gb,
                price=asked.price_per_hour,
                partitions=asked.partitions,
            ),
        )
        checked = check(measured, load(asked.check)) if asked.check else []
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    if asked.json:
        print(json.dumps({**asdict(made), **({"check": checked} if checked else {})}, indent=1))
    else:
        print(show(made) + (f"\n\n{table(checked)}" if checked else ""))


if __name__ == "__main__":
    main()
