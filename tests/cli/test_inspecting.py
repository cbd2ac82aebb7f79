"""Commands that show what is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli

from ..conftest import many_posts, post, run_newsdata, write_archive
from ..terminal import columns_of, in_terminal


@pytest.mark.slow
@pytest.mark.parametrize("command", [["verify"], ["where", "_config.yml"], ["duplicates"]])
def test_commands_print_for_people_and_for_machines(command: list[str], demo: Path) -> None:
    name, *more = command
    assert json.loads(run_newsdata(name, demo, *more, "--json").stdout)
    done = run_newsdata(name, demo, *more)
    assert done.returncode == 0 and done.stdout and done.stderr == ""


@pytest.mark.slow
def test_counts_of_one(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(1, per_day=1), timezone=None), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    told = CliRunner().invoke(cli, ["duplicates", str(out), "202203010000000000"]).output
    assert told.startswith("202203010000000000: 1 article\n")
    write_archive(archive, many_posts(1, per_day=2), timezone=None)
    newsdata.build(archive, out, num_proc=1)
    told = CliRunner().invoke(cli, ["diff", str(out / "1.0.0"), str(out)]).output
    assert "\n  1 row added to train" in told


@pytest.mark.slow
def test_parse_command(tmp_path: Path) -> None:
    archive = write_archive(
        tmp_path, {"_posts/2022-03-01-202203010000000001.md": post(), "_posts/2022-03-01-b.md": b""}
    )
    good = run_newsdata("parse", archive / "_posts" / "2022-03-01-202203010000000001.md")
    answer = json.loads(good.stdout)
    assert (answer["path"], answer["published_at"]) == (
        "_posts/2022-03-01-202203010000000001.md",
        "2022-03-01T08:00:00+08:00",
    )
    bad = run_newsdata("parse", archive / "_posts" / "2022-03-01-b.md")
    assert bad.returncode == 1 and json.loads(bad.stdout)["rule"] == "empty"
    for path, reason in ((tmp_path / "no.md", "No such file or directory"), (tmp_path, "Is a directory")):
        none = run_newsdata("parse", path)
        assert none.returncode == 2
        assert none.stderr == f"newsdata: {path}: cannot be read: {reason}; give the path of one post\n"


@pytest.mark.slow
def test_diff_for_people(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(10)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, many_posts(10, start_day=11))
    newsdata.build(archive, out, num_proc=1)
    told = CliRunner().invoke(cli, ["diff", str(out / "1.0.0"), str(out)]).output.splitlines()
    assert told[0] == "1.0.0 → 1.1.0: minor" and "  30 rows added to newer" in told[1]
    assert sum(line.split()[:2] == ["articles", "added"] for line in told) == 20
    assert told[-1] == "    … and 40 more; --json lists all"
    same = CliRunner().invoke(cli, ["diff", str(out), str(out)])
    assert same.output.startswith("1.1.0 → 1.1.0: nothing differs")


def test_the_template_of_a_card() -> None:
    from newsdata.card.readme import read_card

    assert CliRunner().invoke(cli, ["card", "--template"]).output == read_card()
    nothing = CliRunner().invoke(cli, ["card"])
    assert nothing.exit_code == 2 and "--template" in nothing.output


@pytest.mark.slow
def test_the_card_of_a_version(demo: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["card", str(demo)]).output
    assert told == (demo / "1.0.0" / "README.md").read_text("utf-8") + "\n"
    checked = CliRunner().invoke(cli, ["card", str(demo), "--check"])
    assert checked.exit_code == 0 and checked.output == f"dataset_card.md agrees with {demo / '1.0.0'}\n"
    wrong = tmp_path / "mine.md"
    wrong.write_text("---\nlicense: nonsense\n---\n# Mine\n", encoding="utf-8")
    done = run_newsdata("card", demo, "--check", "--card", wrong)
    assert done.returncode == 1 and "mine.md: the card and the data disagree: " in done.stderr
    assert done.stderr.startswith("  ") and "license" in done.stderr


@pytest.mark.slow
def test_tables_fit_the_terminal(demo: Path, tmp_path: Path) -> None:
    told = in_terminal(80, "duplicates", demo)
    assert told.code == 0 and max(map(columns_of, told.lines)) <= 80
    assert [line.split()[0] for line in told.lines] == ["202202102275500014:", "├─", "├─", "└─"]
    assert len({columns_of(line[: line.rindex("2022")]) for line in told.lines[1:]}) == 1, (
        "the ids are below each other"
    )
    plain = run_newsdata("duplicates", demo, PYTHONIOENCODING="ascii").stdout.splitlines()
    assert [line.split()[0] for line in plain[1:]] == ["|-", "|-", "`-"]
    archive = shutil.copytree("examples/archive", tmp_path / "in")
    (archive / "old_post" / "2022-02-10-202202102275500014.md").unlink()
    shutil.copytree(demo / "1.0.0", out := tmp_path / "out" / "1.0.0")
    newsdata.build(archive, out.parent, num_proc=1)
    told = in_terminal(70, "diff", out, out.parent)
    assert told.code == 0 and max(map(columns_of, told.lines)) <= 70 and "" not in told.lines
    at = next(number for number, line in enumerate(told.lines) if line.split()[:2] == ["articles", "changed"])
    assert told.lines[at + 1].startswith("      (digest, "), "its columns follow"
