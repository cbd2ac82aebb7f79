"""Measure builds for scripts/scale_model.py: processor time, memory and bytes, step by step.

Each build is a fresh process of `newsdata build` with two workers, watched from outside. Processor time is that of the whole
process tree, so other work on the machine changes it little. Needs Linux (/proc) and psutil, which the extra `dev` brings.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec
import psutil  # type: ignore[import-untyped]
from make_archive import make_archive

from newsdata.graph.engine import partitions_of

__all__ = ["Measured", "Sample", "load", "measure", "measure_build", "save"]

_FORMAT = "newsdata scale 1"
_WORKERS = 2
_SPLIT = 16  # partitions of the builds that show what a partition costs
_SAMPLE_SECONDS = 0.1
_STAGE = re.compile(r"newsdata: ([a-z]+): [0-9]+ rows")
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One build. Bytes are those of files; memory is in 10^6 bytes, its peak.

    Attributes:
        posts, articles, candidates: of the archive; pairs of articles that were compared.
        partitions: into how many parts the steps over all posts were divided.
        cpu: seconds of processor time of all processes, by stage; `list` has the start, `end` what came after the last one.
        driver: private memory of the first process, by stage.
        tree: memory of all processes, by stage: their private memory, and shared pages and mapped files divided among them.
        again: seconds of processor time of the same build once more, which finds every file unchanged.
        source: bytes of the posts.
        stored: bytes by kind: `version`, and those of the files of the cache that are not in it, by name.
    """

    posts: int
    articles: int
    candidates: int
    partitions: int
    cpu: Mapping[str, float]
    driver: Mapping[str, float]
    tree: Mapping[str, float]
    again: float
    source: int
    stored: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All builds of one machine."""

    samples: Sequence[Sample]
    format: str = _FORMAT


def load(path: Path) -> Measured:
    """Read what `save` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        measured = msgspec.json.decode(path.read_bytes(), type=Measured)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is not a file of measured builds: {error}") from None
    if measured.format != _FORMAT:
        raise ValueError(f"{path} has the format {measured.format!r}")
    return measured


def save(measured: Measured, path: Path) -> None:
    """Write what was measured as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=1) + b"\n")


def measure(sizes: Sequence[int], archives: Sequence[Path] = ()) -> Measured:
    """Build synthetic archives of these numbers of posts, the smallest one also in many parts; and `archives`."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="newsdata-scale-") as folder:
        for posts in sizes:
            archive = Path(folder, f"archive-{posts}")
            make_archive(archive, posts=posts)
            for partitions in (1, _SPLIT) if posts == min(sizes) else (1,):
                samples.append(_said(measure_build(archive, Path(folder, f"out-{posts}-{partitions}"), partitions)))
        for number, archive in enumerate(archives):
            samples.append(_said(measure_build(archive, Path(folder, f"given-{number}"), None)))
    return Measured(samples=samples)


def _said(sample: Sample) -> Sample:
    seconds = sum(sample.cpu.values())
    print(
        f"built {sample.posts:,} posts in {sample.partitions} parts: {seconds:.1f} s of processor time", file=sys.stderr
    )
    return sample


def measure_build(archive: Path, out: Path, partitions: int | None) -> Sample:
    """Build an archive into the empty folder `out`, and measure it.

    Args:
        archive, out: folders.
        partitions: of the steps over all posts; None to let newsdata choose.

    Raises:
        RuntimeError: the build failed; the message has the end of what it said.
    """
    command = [sys.executable, "-m", "newsdata", "build", str(archive), str(out), "--json", "--quiet", "-v"]
    command += ["--num-proc", str(_WORKERS), *(("--partitions", str(partitions)) if partitions else ())]
    watch, again = _Watch(), _Watch()
    built = _run(command, watch)
    stored = _stored(out, Path(built["path"]))
    _run(command, again)
    counts, version = built["accounting"], Path(built["path"])
    manifest = json.loads((version / "manifest.json").read_bytes())
    posts = counts["posts"] + counts["rejects"]
    return Sample(
        posts=posts,
        articles=counts["articles"],
        candidates=manifest["duplicates"]["candidates"],
        partitions=partitions or partitions_of(posts),
        cpu={name: round(seconds, 3) for name, seconds in watch.cpu.items()},
        driver={name: round(peak, 1) for name, peak in watch.driver.items()},
        tree={name: round(peak, 1) for name, peak in watch.tree.items()},
        again=round(sum(again.cpu.values()), 3),
        source=sum(entry.stat().st_size for entry in _files(archive)),
        stored=stored,
    )


def _run(command: Sequence[str], watch: _Watch) -> dict[str, Any]:
    """Run a build to its end under `watch`. Returns what it printed."""
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        tail = [""]
        reader = threading.Thread(target=_read_stages, args=(process.stderr, watch, tail))
        reader.start()
        total = watch.run(process)
        reader.join()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {tail[0][-2000:]}")
        watch.cpu["end"] += max(0.0, total - sum(watch.cpu.values()))
        printed.seek(0)
        result: dict[str, Any] = json.loads(printed.read())
        return result


def _files(folder: Path) -> Iterator[Path]:
    return (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)


def _stored(out: Path, version: Path) -> dict[str, int]:
    """Bytes by kind. A file with two names, in the cache and in the version, counts once."""
    stored, seen = defaultdict[str, int](int), set[int]()
    for path in sorted(_files(out), key=lambda path: version not in path.parents):  # the version first
        facts = path.stat()
        if facts.st_ino not in seen:
            seen.add(facts.st_ino)
            kind = path.suffix[1:] if ".newsdata" in path.parts else "version"
            stored[re.sub(r"-[0-9]+$", "", kind) or "other"] += facts.st_size
    return dict(sorted(stored.items()))


# ----------------------------------------------------------------------------------------------------- watching


def _read_stages(lines: IO[str], watch: _Watch, tail: list[str]) -> None:
    """Tell `watch` when a stage ends, and keep the end of what was said in `tail`."""
    for line in lines:
        tail[0] = (tail[0] + line)[-10_000:]
        if found := _STAGE.search(line):
            watch.ended.append(found[1])


@dataclass(slots=True)
class _Watch:
    """Watches a build: what it took so far, by stage.

    Attributes:
        ended: stages that have ended and whose costs are still to be noted.
    """

    ended: list[str] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    driver: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    tree: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def run(self, process: subprocess.Popen[str]) -> float:
        """Watch a process until it ends. Returns the seconds of processor time of it and its children."""
        noted, driver, tree, spent = 0.0, 0.0, 0.0, 0.0
        while True:
            names, self.ended = self.ended, []
            one, every, now = _look(process.pid)
            driver, tree, spent = max(driver, one), max(tree, every), max(spent, now)
            for name in names:  # stages that ended within one sample: the first one has the cost
                self.cpu[name] += spent - noted
                self.driver[name], self.tree[name] = max(self.driver[name], driver), max(self.tree[name], tree)
                noted, driver, tree = spent, one, every
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                for name in self.ended:
                    self.cpu[name] += 0.0
                return usage.ru_utime + usage.ru_stime
            time.sleep(_SAMPLE_SECONDS)


def _look(pid: int) -> tuple[float, float, float]:
    """Private memory of a process, memory of its tree, both in MB; seconds of processor time of its tree."""
    driver = tree = seconds = 0.0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            except (psutil.Error, OSError):
                continue  # it has just ended
            sizes = dict(re.findall(r"^(Pss|Anonymous): +([0-9]+) kB$", rollup, re.MULTILINE))
            seconds += times.user + times.system + times.children_user + times.children_system
            tree += int(sizes.get("Pss", 0)) * 1024 / _MB
            if process.pid == pid:
                driver = int(sizes.get("Anonymous", 0)) * 1024 / _MB
    except psutil.Error:
        pass
    return driver, tree, seconds
