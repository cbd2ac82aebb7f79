"""The benchmark's own instruments, and the script that newsdata is compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ..conftest import ROOT

SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

import benchmark  # noqa: E402
import benchmark_tasks  # noqa: E402
from make_archive import make_archive  # noqa: E402

EXAMPLE = ROOT / "examples" / "archive"


def test_table() -> None:
    rows: list[dict[str, object]] = [
        {"what": "a", "seconds": 0.123456, "rows": 1_234_567},
        {"what": "long name", "seconds": None, "rows": 3},
        {"what": "b", "seconds": 12345.6, "more": 1},
    ]
    assert benchmark.table(rows).splitlines() == [
        "what       seconds       rows  more",
        "a            0.123  1,234,567     –",
        "long name        –          3     –",
        "b           12,346          –     1",
    ]


@pytest.mark.slow
def test_run_measures_time_memory_and_output() -> None:
    child = "data = b'x' * 200_000_000; print('held'); [None for _ in range(20_000_000)]"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    done = benchmark.run([sys.executable, "-c", parent])
    assert done.output == "held\n"
    assert done.seconds > 0
    pytest.importorskip("psutil")
    assert done.peak_mb is not None
    assert done.peak_mb > 200  # a child's memory counts


def test_run_says_what_failed() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: .*broken"):
        benchmark.run([sys.executable, "-c", "import sys; print('broken', file=sys.stderr); sys.exit(3)"])


def test_sections_by_name() -> None:
    script = [sys.executable, str(SCRIPTS / "benchmark.py")]
    wrong = subprocess.run([*script, "--only", "build,nothing"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "no such section: nothing" in wrong.stderr


def test_reading_alone_reads_every_byte() -> None:
    posts = [p for folder in ("_posts", "old_post") for p in (EXAMPLE / folder).iterdir()]
    assert benchmark_tasks.read(str(EXAMPLE)) == sum(p.stat().st_size for p in posts)


@pytest.mark.slow
def test_naive_script_is_fair_and_loses_what_plain_yaml_loses(tmp_path: Path) -> None:
    pytest.importorskip("bs4")
    script = [sys.executable, str(SCRIPTS / "naive_build.py"), str(EXAMPLE), str(tmp_path)]
    rows = json.loads(subprocess.run(script, check=True, capture_output=True, text=True).stdout)
    tables = {name: pq.read_table(tmp_path / f"{name}.parquet") for name in ("train", "validation", "test")}
    assert rows == {name: found.num_rows for name, found in tables.items()}
    found = {row["article_id"]: row for part in tables.values() for row in part.to_pylist()}
    one = found["202204142343300026"]
    assert one["source"] == "沧浪证券报"
    assert one["text"].startswith("星桥银行今日披露")
    assert one["published_at"].isoformat() == "2022-04-14T19:33:27+08:00"
    assert "1,605805" in {mention["code"] for mention in one["mentions"]}
    assert "202202242286600017" not in found  # a title with quotes inside: plain YAML cannot read it


def sections(tmp_path: Path, *options: str) -> tuple[dict[str, Any], str]:
    command = [
        sys.executable,
        str(SCRIPTS / "benchmark.py"),
        "--repeat",
        "1",
        "--work",
        str(tmp_path / "work"),
    ]
    command += ["--json", str(tmp_path / "out.json"), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8")), printed


@pytest.mark.slow
def test_loading_a_small_archive(tmp_path: Path) -> None:
    make_archive(tmp_path / "work" / "archive-200", posts=200)
    found, printed = sections(tmp_path, "--only", "load", "--posts", "200")
    assert set(found) == {"machine", "sections"}
    assert set(found["machine"]) == {"date", "cores", "platform", "python", "libraries"}
    access = found["sections"]["load"]["access"]
    assert access["all titles"]["rows"] > 100
    weeks = ("one week by filter", "the same week, unsorted in one row group")
    assert access[weeks[0]]["rows"] == access[weeks[1]]["rows"] > 0
    assert "## Loading (200 posts)" in printed


@pytest.mark.slow
def test_every_section(tmp_path: Path) -> None:
    found, printed = sections(tmp_path, "--posts", "2000", "--growth", "200", "400", "--quality-size", "400")
    assert set(found["sections"]) == set(benchmark.SECTIONS)
    assert printed.count("\n## ") == len(benchmark.SECTIONS)
    programs = found["sections"]["build"]["programs"]
    assert programs["newsdata, 1 worker"]["seconds"] > programs["reading alone, 1 process"]["seconds"]
    assert found["sections"]["build"]["stages"]["parse"] > 0
    if found["sections"]["train"]:
        readers = found["sections"]["train"]["readers"]
        assert len(readers) == 6 and len({one["rows"] for one in readers.values()}) == 1
    assert set(found["sections"]["growth"]["sizes"]) == {"200", "400"}
    commands = found["sections"]["import"]["commands"]
    assert commands["import newsdata"]["seconds"] < commands["import datasets"]["seconds"]
