"""`info`: what is in a version, in any terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.info import _charts
from newsdata.cli.main import cli

from ..conftest import many_posts, run_newsdata, write_archive
from ..terminal import columns_of, in_terminal


def info(out: Path) -> str:
    return CliRunner().invoke(cli, ["info", str(out)]).output


@pytest.mark.slow
def test_for_people_and_for_machines(demo: Path) -> None:
    facts = newsdata.info(demo)
    told = info(demo)
    counts = facts["accounting"]
    assert told.startswith(f"{facts['pretty_name']} 1.0.0   ({demo / '1.0.0'})\n")
    assert f"{counts['files_seen']} files = {counts['posts']} posts + {counts['rejects']} rejects" in told
    tables = told.partition("\n\n")[2].partition(" files = ")[0].splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in tables if line}
    for split, (first, last) in facts["dates"].items():
        assert rows[split][:3] == [f"{facts['configs']['articles'][split]['rows']}", first, last]
    assert rows["rejects"] == ["2", f"{facts['configs']['rejects']['rejects']['bytes'] / 1000:.1f}", "kB"]
    assert told.endswith(f"\n\n{facts['citation'].strip()}\n")
    assert json.loads(run_newsdata("info", demo, "--json").stdout)["statistics"] == facts["statistics"]


def test_publishers_and_near_copies_are_those_of_the_rows(demo: Path) -> None:
    rows = list(newsdata.load_dataset(demo, split="all"))
    names = [row["media"] or row["source"] for row in rows]
    told = [line.split() for line in info(demo).splitlines()]
    by_count = sorted({name for name in names if name}, key=lambda name: (-names.count(name), name))
    for name in by_count[:4]:
        assert [str(names.count(name)), name] in told
    assert [str(names.count(None)), "without", "a", "publisher"] in told
    assert [
        str(sum(names.count(name) for name in by_count[5:])),
        "from",
        str(len(by_count) - 5),
        "other",
        "publishers",
    ] in told
    train = [row["duplicate_cluster"] for row in newsdata.load_dataset(demo, split="train")]
    copies = 100 * sum(train.count(one) > 1 for one in train) / len(train)
    assert f"articles with a near-copy: train {copies:.1f} %, validation none, test none" in info(demo)
    (random,) = [row for row in newsdata.info(demo)["leakage"]["random"] if row["split"] == "validation"]
    at_random = f"{100 * random['leak_any']:.1f} %" if random["leak_any"] else "none"
    assert f"leak from train: validation none (at random {at_random}), test none" in info(demo)


@pytest.mark.slow
def test_it_warns_of_classes_that_train_has_not(tmp_path: Path) -> None:
    files = many_posts(10)
    late = [path for path in files if "2022-03-10" in path]
    for number, path in enumerate(late):
        files[path] = files[path].replace(b"categories: emnews", f"categories: new{number % 2}".encode())
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    words = "3 articles of test have one of 2 categories that train has not: new0 (2), new1 (1)"
    assert words in " ".join(info(out).split())
    told = json.loads(run_newsdata("info", out, "--json").stdout)["statistics"]["classes"]["category"]["unseen"]
    assert told == {
        "names": 2,
        "articles": 3,
        "top": [{"name": "new0", "articles": 2}, {"name": "new1", "articles": 1}],
    }


def test_counts_of_one_and_small_sizes(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(1, per_day=1), timezone=None), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    told = info(out)
    assert "  1 file = 1 post + 0 rejects + 0 ignored; 1 article\n" in told
    assert "one sign is 1 day, the highest is 1 article\n" in told
    size = newsdata.info(out)["configs"]["articles"]["train"]["bytes"]
    lines = [line.split() for line in told.splitlines()]
    assert ["train", "1", "2022-02-28", "2022-02-28"] in [line[:4] for line in lines]
    assert ["articles", "1", f"{size / 1000:.1f}", "kB"] in lines


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 120])
def test_it_fits_the_terminal(width: int, demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo, short := tmp_path / "d")
    told = in_terminal(width, "info", short)
    long = [line for line in told.lines[1:] if columns_of(line) > width and "content digest" not in line]
    assert told.code == 0 and long == []
    start = {line.index(" 2021-12-01") for line in told.lines if line.startswith("  train")}
    assert start == {told.lines[2].index(" from")}, "columns begin below their names"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "arguments"),
    [({"NO_COLOR": "no"}, []), ({"TERM": "dumb"}, []), ({}, ["--json"])],
)
def test_no_colours(environment: dict[str, str], arguments: list[str], demo: Path) -> None:
    told = in_terminal(80, "info", demo, *arguments, **environment)
    assert told.code == 0 and "\x1b" not in told.raw


@pytest.mark.slow
def test_colours_on_a_terminal_only(demo: Path) -> None:
    assert "\x1b[1m" in in_terminal(80, "info", demo, NO_COLOR="").raw
    assert "\x1b" not in run_newsdata("info", demo, FORCE_COLOR="1").stdout


@pytest.mark.slow
def test_signs_of_ascii_where_stdout_has_no_others(demo: Path) -> None:
    bars = run_newsdata("info", demo, PYTHONIOENCODING="utf-8").stdout
    plain = run_newsdata("info", demo, PYTHONIOENCODING="ascii")
    assert plain.returncode == 0 and plain.stdout.isascii() and "▇" in bars
    chart = next(line for line in plain.stdout.splitlines() if line.startswith("  train"))
    assert chart.rsplit("2022-05-12  ")[1] == next(
        line for line in bars.splitlines() if line.startswith("  train")
    ).rsplit("2022-05-12  ")[1].translate(str.maketrans("▁▂▃▅▇", ".:-=#"))
    posix = run_newsdata("info", demo, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert posix.returncode == 0 and posix.stdout == plain.stdout and posix.stderr == ""


@pytest.mark.slow
def test_a_version_without_text_or_without_articles(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(12))
    newsdata.build(archive, tmp_path / "free", num_proc=1, text="none")
    told = info(tmp_path / "free")
    assert "without text" in told and "publisher\n" not in told and "  train  " in told
    assert "articles with a near-copy: " in told
    empty = write_archive(tmp_path / "empty", {"_posts/2022-03-01-a.md": b""})
    newsdata.build(empty, tmp_path / "none", num_proc=1, max_reject_share=1)
    told = info(tmp_path / "none")
    assert "2 files = 0 posts + 1 reject + 1 ignored; 0 articles" in told and "train" not in told


@pytest.mark.slow
def test_a_version_made_before_there_were_statistics(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo, old := tmp_path / "old")
    path = old / "1.0.0" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    del manifest["statistics"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    told = in_terminal(80, "info", old)
    assert told.code == 0 and "over time" not in told.raw and "publisher" not in told.raw
    assert any(line.split()[:4] == ["train", "29", "2021-12-01", "2022-05-12"] for line in told.lines)
    assert any(line.startswith("  articles with a near-copy: ") for line in told.lines)


def test_all_splits_have_one_axis_and_one_height() -> None:
    days = {f"2022-03-{day:02}": 4 for day in range(1, 21)}
    articles = {"train": days, "test": {"2022-03-21": 8, "2022-03-24": 2}}
    charts, legend = _charts({"unit": "day", "articles": articles}, 40)
    assert charts == {"train": "▃" * 20, "test": " " * 20 + "▇  ▂"}
    assert legend == "one sign is 1 day, the highest is 8 articles"
    charts, legend = _charts({"unit": "day", "articles": articles}, 12)
    assert charts == {"train": "▇" * 10, "test": " " * 10 + "▇▂"} and legend.startswith(
        "one sign is 2 days, the highest is 8 "
    )
    charts, legend = _charts({"unit": "month", "articles": {"train": {"2019-11": 1, "2020-02": 1}}}, 12)
    assert charts == {"train": "▇  ▇"} and legend == "one sign is 1 month, the highest is 1 article"


def test_a_wrong_year_does_not_flatten_the_chart() -> None:
    days = {f"2022-03-{day:02}": 100 for day in range(1, 31)}
    charts, legend = _charts(
        {"unit": "day", "articles": {"train": {"1970-01-01": 1, **days}, "newer": {"9999-12-31": 2}}}, 40
    )
    assert charts == {"train": "▇" * 30, "newer": ""}
    assert legend == "one sign is 1 day, the highest is 100 articles; 3 long before or after"


def test_counts_from_elsewhere_are_drawn_whatever_they_are() -> None:
    """A manifest may come from somebody else; its days and counts are within bounds, and that is all."""
    assert _charts({"unit": "day", "articles": {}}, 40) == ({}, "")
    assert _charts({"unit": "day", "articles": {"train": {"2022-01-01": 0}}}, 40) == ({}, "")
    charts, _ = _charts({"unit": "day", "articles": {"a": {"0001-01-01": 2**50, "9999-12-31": 2**50}}}, 8)
    assert charts["a"][0] == charts["a"][-1] == "▇" and len(charts["a"]) <= 8
