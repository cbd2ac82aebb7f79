"""Compare newsdata with what people use today, in one run: `python scripts/benchmark.py --json FILE`.

Machines are noisy: every figure is the median of at least 3 runs, the programs take turns, and only ratios within one run
mean anything. The archive is synthetic (scripts/make_archive.py). Memory is the resident memory of the whole process tree,
sampled; pages that processes share count once for each process. The script needs the extra `dev`. datatrove with trafilatura
is compared if it is installed: `pip install 'datatrove[io,processing]' trafilatura lxml_html_clean`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from make_archive import extend_archive, make_archive

__all__ = ["SECTIONS", "Run", "run", "table"]

_HERE = Path(__file__).resolve().parent
_TASKS = str(_HERE / "benchmark_tasks.py")
_LIBRARIES = (
    "newsdata", "datasets", "pyarrow", "numpy", "turbohtml", "rensa", "python-frontmatter", "beautifulsoup4",
    "pandas", "datatrove", "trafilatura",
)  # fmt: skip
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished process.

    Attributes:
        seconds: wall time.
        peak_mb: the highest resident memory of its process tree, in 10^6 bytes; None without psutil.
        output: what it printed.
    """

    seconds: float
    peak_mb: float | None
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What all sections need.

    Attributes:
        work: the folder for archives and versions.
        posts: of the archive.
        repeat: runs of each program.
        growth: numbers of posts for the section growth.
        quality_size: articles in each style for the section quality.
    """

    work: Path
    posts: int
    repeat: int
    growth: Sequence[int]
    quality_size: int

    def archive(self, posts: int) -> Path:
        """The synthetic archive of this size. It is made if it does not exist, and read once, so that it is in memory."""
        path = self.work / f"archive-{posts}"
        if not path.exists():
            _say(f"making an archive of {posts:,} posts")
            unfinished = self.work / f"unfinished-{posts}"
            shutil.rmtree(unfinished, ignore_errors=True)
            make_archive(unfinished, posts=posts)
            unfinished.rename(path)
        run([sys.executable, _TASKS, "read", str(path)])
        return path

    def fresh(self, name: str) -> Path:
        """An empty folder of that name."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def _say(message: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {message}", file=sys.stderr, flush=True)


# -------------------------------------------------------------------------------------------------- measuring


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a process to its end and measure time and memory.

    Raises:
        RuntimeError: it failed; the message has the end of its error output.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(environment or {})})
        peak: list[float] = [0.0]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peak, done), daemon=True)
        watcher.start()
        code = process.wait()
        seconds = perf_counter() - begin
        done.set()
        watcher.join()
        out.seek(0)
        err.seek(0)
        if code:
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {err.read()[-2000:].decode(errors='replace')}")
        return Run(seconds=seconds, peak_mb=peak[0] or None, output=out.read().decode())


def _watch(pid: int, peak: list[float], done: threading.Event) -> None:
    """Until `done` is set, put the highest resident memory of a process and its descendants, in MB, into `peak[0]`."""
    if find_spec("psutil") is None:
        return
    import psutil  # type: ignore[import-untyped]

    try:
        root = psutil.Process(pid)
        while not done.is_set():
            size = 0
            for process in (root, *root.children(recursive=True)):
                try:
                    size += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], size / 1e6)
            done.wait(_SAMPLE_SECONDS)
    except psutil.NoSuchProcess:
        return


def _in_turns(programs: Mapping[str, Callable[[], Run]], repeat: int) -> dict[str, list[Run]]:
    """Run each program `repeat` times. The programs take turns, so that a slow minute of the machine affects all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for number in range(repeat):
        for name, program in programs.items():
            runs[name].append(program())
            _say(f"{name}, run {number + 1} of {repeat}: {runs[name][-1].seconds:.2f} s")
    return runs


def _summary(runs: Sequence[Run]) -> dict[str, Any]:
    seconds = [r.seconds for r in runs]
    peaks = [r.peak_mb for r in runs if r.peak_mb is not None]
    return {
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "peak_mb": max(peaks) if peaks else None,
    }


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table of plain text under the names of their columns. Numbers are aligned right, None is shown as –.

    >>> print(table([{"what": "a", "seconds": 1.5, "rows": 1200}]))
    what  seconds   rows
    a         1.5  1,200
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    right = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in names]
    return "\n".join(
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _build(archive: Path, out: Path, *options: str) -> Run:
    return run([sys.executable, "-m", "newsdata", "build", str(archive), str(out), "--json", *options])


_NEAR_DUPLICATES = ("sign", "group", "measure")
"""The stages that search near-copies or measure leaks."""


def _stages(done: Run) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(done.output)["stages"]
    return found


# --------------------------------------------------------------------------------------------------- sections


def _build_section(setting: _Setting) -> dict[str, Any]:
    """A whole build, compared with other programs."""
    archive, posts = setting.archive(setting.posts), setting.posts

    def built(workers: int) -> Callable[[], Run]:
        return lambda: _build(archive, setting.fresh(f"built-{workers}"), "--num-proc", str(workers))

    def task(name: str) -> Callable[[], Run]:
        return lambda: run([sys.executable, _TASKS, name, str(archive), str(setting.fresh(name))])

    programs = {
        "reading alone, 1 process": lambda: run([sys.executable, _TASKS, "read", str(archive)]),
        "newsdata, 1 worker": built(1),
        "newsdata, 2 workers": built(2),
    }
    if find_spec("bs4"):
        naive = [sys.executable, str(_HERE / "naive_build.py"), str(archive)]
        programs["naive script"] = lambda: run([*naive, str(setting.fresh("naive"))])
        programs["Dataset.from_generator"] = task("from_generator")
    else:
        _say("BeautifulSoup is not installed: the naive script and Dataset.from_generator are left out")
    if find_spec("datatrove") and find_spec("trafilatura"):
        programs["datatrove + trafilatura, 2 workers"] = task("trafilatura")
    else:
        _say("datatrove or trafilatura is not installed: left out")
    runs = _in_turns(programs, setting.repeat)

    results = {name: _summary(done) for name, done in runs.items()}
    for name in ("newsdata, 1 worker", "newsdata, 2 workers"):
        apart = [sum(_stages(done)[stage]["seconds"] for stage in _NEAR_DUPLICATES) for done in runs[name]]
        results[f"{name}, near-duplicates apart"] = {
            "seconds": statistics.median(r.seconds - s for r, s in zip(runs[name], apart, strict=True))
        }
    seconds = {name: result["seconds"] for name, result in results.items()}
    ours, reading = seconds["newsdata, 2 workers, near-duplicates apart"], seconds["reading alone, 1 process"]
    rows = [
        {
            "what": name,
            "seconds": result["seconds"],
            "fastest": result.get("fastest"),
            "slowest": result.get("slowest"),
            "posts/s": round(posts / result["seconds"]),
            "peak MB": result.get("peak_mb"),
            "x reading": result["seconds"] / reading,
            "x newsdata": result["seconds"] / ours,
        }
        for name, result in results.items()
    ]
    stages = {name: statistics.median(_stages(d)[name]["seconds"] for d in runs["newsdata, 1 worker"])
              for name in _stages(runs["newsdata, 1 worker"][0])}  # fmt: skip
    print(f"\n## Building {posts:,} posts\n\n{table(rows)}\n")
    print("`x newsdata`: relative to newsdata with 2 workers, near-duplicates apart. The stages with one worker:\n")
    print(table([{"stage": name, "seconds": s, "us a post": s / posts * 1e6} for name, s in stages.items()]))
    return {"posts": posts, "programs": results, "stages": stages}


def _growth_section(setting: _Setting) -> dict[str, Any]:
    """Time and memory as the archive grows."""
    archives = {posts: setting.archive(posts) for posts in setting.growth}

    def built(posts: int) -> Callable[[], Run]:
        return lambda: _build(archives[posts], setting.fresh(f"grown-{posts}"), "--num-proc", "2")

    runs = _in_turns({str(posts): built(posts) for posts in archives}, setting.repeat)
    results = {int(posts): _summary(done) for posts, done in runs.items()}
    first = results[setting.growth[0]]
    rows = [
        {
            "posts": posts,
            "seconds": result["seconds"],
            "us a post": result["seconds"] / posts * 1e6,
            "peak MB": result["peak_mb"],
            "x posts": posts / setting.growth[0],
            "x seconds": result["seconds"] / first["seconds"],
            "x memory": result["peak_mb"] / first["peak_mb"] if result["peak_mb"] and first["peak_mb"] else None,
        }
        for posts, result in results.items()
    ]
    print(f"\n## Growth, 2 workers\n\n{table(rows)}")
    return {"sizes": results}


def _load_section(setting: _Setting) -> dict[str, Any]:
    """Typical access to a built version."""
    out = setting.fresh("loaded")
    built = json.loads(_build(setting.archive(setting.posts), out).output)
    scratch = setting.fresh("load")
    done = run(
        [sys.executable, _TASKS, "load", built["path"], str(setting.repeat), str(scratch)],
        {"HF_HOME": str(scratch / "hf"), "HF_HUB_OFFLINE": "1"},
    )
    found: dict[str, dict[str, float]] = json.loads(done.output)
    rows = [
        {"what": name, "seconds": f["seconds"], "rows": int(f["rows"]), "rows/s": f["rows"] / f["seconds"]}
        for name, f in found.items()
    ]
    ratio = found["the same week, unsorted in one row group"]["seconds"] / found["one week by filter"]["seconds"]
    print(
        f"\n## Loading ({setting.posts:,} posts)\n\n{table(rows)}\n\n"
        f"A week by filter: {ratio:.1f}x as fast as unsorted."
    )
    return {"posts": setting.posts, "access": found, "week_ratio": ratio}


def _train_section(setting: _Setting) -> dict[str, Any]:
    """One epoch, row by row, with two columns: `torch_dataset` and streams of `datasets`."""
    if find_spec("torch") is None:
        print("\n## Training\n\nPyTorch is not installed: left out.")
        return {}
    out, scratch = setting.fresh("trained"), setting.fresh("train")
    built = json.loads(_build(setting.archive(setting.posts), out).output)
    done = run(
        [sys.executable, _TASKS, "train", built["path"], str(setting.repeat)],
        {"HF_HOME": str(scratch / "hf"), "HF_HUB_OFFLINE": "1"},
    )
    found: dict[str, dict[str, float]] = json.loads(done.output)
    rows = []
    for name, one in found.items():
        ours = found[f"{name.partition(':')[0]}: torch_dataset"]
        held = None if "held" not in one else one["held"] / 1e6
        rows.append(
            {
                "columns and reader": name,
                "CPU seconds": one["cpu"],
                "rows": int(one["rows"]),
                "rows/s": one["rows"] / one["cpu"],
                "x torch_dataset": one["cpu"] / ours["cpu"],
                "Arrow MB": held,
            }
        )
    print(f"\n## Training ({setting.posts:,} posts)\n\n{table(rows)}")
    return {"posts": setting.posts, "readers": found, "peak_mb": done.peak_mb}


def _import_section(setting: _Setting) -> dict[str, Any]:
    """Start-up: a bare interpreter, `import newsdata`, `import datasets`, and the command line's help."""
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "import newsdata": [python, "-c", "import newsdata"],
        "newsdata --help": [python, "-m", "newsdata", "--help"],
        "import datasets": [python, "-c", "import datasets"],
    }
    programs = {name: partial(run, command) for name, command in commands.items()}
    results = {name: _summary(done) for name, done in _in_turns(programs, max(5, setting.repeat)).items()}
    longest = results["import datasets"]["seconds"]
    rows = [
        {"what": name, "seconds": r["seconds"], "x import datasets": r["seconds"] / longest}
        for name, r in results.items()
    ]
    print(f"\n## Start-up\n\n{table(rows)}")
    return {"commands": results}


def _incremental_section(setting: _Setting) -> dict[str, Any]:
    """The next version of an archive that changed a little, of an unchanged one, and a full build."""
    posts, new, change = setting.posts, 500, 50
    archive, out = setting.fresh("growing"), setting.fresh("incremental")
    archive.rmdir()
    shutil.copytree(setting.archive(posts), archive)
    _build(archive, out)
    states: dict[str, list[Run]] = {
        "full build": [],
        f"{new} new, {change} changed": [],
        "nothing changed": [],
    }
    for number in range(1, setting.repeat + 1):
        extend_archive(archive, posts=posts, new=new * number, change=change * number)
        for name, target in (
            (f"{new} new, {change} changed", out),
            ("nothing changed", out),
            ("full build", setting.fresh("full")),
        ):
            states[name].append(_build(archive, target))
            _say(f"{name}, run {number} of {setting.repeat}: {states[name][-1].seconds:.2f} s")
    results = {name: _summary(done) for name, done in states.items()}
    full = results["full build"]["seconds"]
    rows = [
        {"what": name, "seconds": r["seconds"], "peak MB": r["peak_mb"], "x full": r["seconds"] / full}
        for name, r in results.items()
    ]
    print(f"\n## Incremental builds ({posts:,} posts)\n\n{table(rows)}")
    return {"posts": posts, "builds": results}


def _quality_section(setting: _Setting) -> dict[str, Any]:
    """How many of the planted near-copies are found (scripts/quality.py)."""
    import quality

    measured = {style: quality.measure(style, setting.quality_size) for style in quality.STYLES}
    figures = {  # JSON has no NaN: a style without long copies has no figure for them
        style: {name: None if math.isnan(value) else value for name, value in found.items()}
        for style, found in measured.items()
    }
    print(f"\n## Near-duplicates ({setting.quality_size:,} articles in each style)\n")
    print(table([{"style": style, **found} for style, found in figures.items()]))
    return {"size": setting.quality_size, "styles": figures}


SECTIONS: Mapping[str, Callable[[_Setting], dict[str, Any]]] = {
    "build": _build_section,
    "growth": _growth_section,
    "load": _load_section,
    "train": _train_section,
    "import": _import_section,
    "incremental": _incremental_section,
    "quality": _quality_section,
}
"""Name in `--only` -> function that measures a section, prints its tables and returns its figures."""


def _machine() -> dict[str, Any]:
    """Date, machine and versions of libraries."""
    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = "not installed"
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": libraries,
    }


def _main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare newsdata with what people use today.")
    parser.add_argument("--only", help=f"sections, separated by commas: {','.join(SECTIONS)} (default: all)")
    parser.add_argument("--posts", type=int, default=20_000, help="posts of the archive (default: 20000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program; the median counts (default: 3)")
    parser.add_argument(
        "--growth",
        type=int,
        nargs="+",
        default=[20_000, 200_000],
        metavar="POSTS",
        help="posts of the archives in the section growth (default: 20000 200000)",
    )
    parser.add_argument(
        "--quality-size",
        type=int,
        default=5_000,
        help="articles in each style in the section quality (default: 5000)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument(
        "--work", type=Path, help="keep archives in this folder for the next run (default: a folder that is removed)"
    )
    given = parser.parse_args(arguments)
    chosen = given.only.split(",") if given.only else list(SECTIONS)
    if unknown := sorted(set(chosen) - set(SECTIONS)):
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if find_spec("psutil") is None:
        _say("psutil is not installed: memory is not measured")
    with tempfile.TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        setting = _Setting(
            work=work.resolve(),
            posts=given.posts,
            repeat=given.repeat,
            growth=given.growth,
            quality_size=given.quality_size,
        )
        found: dict[str, Any] = {"machine": _machine(), "sections": {}}
        machine = found["machine"]
        print(f"{machine['date']}, {machine['cores']} cores, {machine['platform']}, Python {machine['python']}")
        print(", ".join(f"{name} {number}" for name, number in machine["libraries"].items()))
        for name in chosen:
            found["sections"][name] = SECTIONS[name](setting)
            if given.json:  # after each section, so that figures are kept if a later section fails
                given.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
