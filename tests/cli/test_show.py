"""`show`: rows to look at, in any terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import newsdata
from newsdata.cli.main import cli
from newsdata.errors import VerifyError

from ..conftest import many_posts, post, run_newsdata, write_archive
from ..explorer.forged import article, forge
from ..terminal import columns_of, in_terminal
from ..versions import make_version


def show(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["show", *map(str, arguments)])


def test_a_row_has_title_facts_and_the_first_lines(demo: Path) -> None:
    told = show(demo, "--grep", "首轮提价落地")
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[0] == "冷柜企业首轮提价落地 成本压力传导六成"
    assert lines[1] == "  2022-02-10 09:12  train  439 characters  202202102275500014  望山财经"
    assert lines[2].startswith("  二月以来，多家冷柜企业上调了出厂价格。") and lines[4].endswith("…")
    assert lines[5:] == ["", '1 article of 35 in 1.0.0 holds "首轮提价落地"']


def test_the_same_rows_each_time(demo: Path) -> None:
    first = show(demo, "-n", 3).output
    assert first == show(demo / "1.0.0", "-n", 3).output
    assert first.endswith("\n3 of 35 articles in 1.0.0, spaced evenly; with an ID, one is printed whole\n")
    titles = [row.row["title"] for row in newsdata.show(demo, n=3).rows]
    assert [line for line in first.splitlines() if line in titles] == titles


def test_no_hit_is_exit_code_1(demo: Path) -> None:
    nothing = show(demo, "--grep", "[a-z]+")
    assert (nothing.exit_code, nothing.output) == (1, 'no article of 1.0.0 holds "[a-z]+"\n')
    nothing = show(demo, "--grep", "冷柜", "--split", "test")
    assert (nothing.exit_code, nothing.output) == (1, 'no article of test holds "冷柜"\n')
    many = show(demo, "--grep", "的", "-n", 1)
    assert many.exit_code == 0 and many.output.splitlines()[-1].startswith("the first 1 of ")
    assert show(demo, "202202102275500014", "--grep", "青岛").exit_code == 1
    assert show(demo, "--split", "newer").output == "no article in newer\n"


def test_one_article_whole(demo: Path) -> None:
    row = newsdata.show(demo, "202202102275500014").rows[0].row
    told = show(demo, row["article_id"]).output
    for column in ("title", "text", "digest"):
        assert row[column].replace("\n", "").replace(" ", "") in told.replace("\n", "").replace(" ", ""), column
    fields = {
        line.split()[0]: line.split(maxsplit=1)[1]
        for line in told.splitlines()
        if line.startswith("  ") and " " in line.strip()
    }
    assert fields["published_at"] == "2022-02-10 09:12:33+08:00" and fields["url"] == row["url"]
    assert fields["mentions"].startswith("青岚股份, 禾渡食品") and fields["split"] == "train"
    assert "excluded: straddle  " in show(demo, "--split", "excluded").output
    excluded = show(demo, "202205302396600016").output
    assert "  excluded_reason    straddle\n" in excluded and "  split              excluded\n" in excluded


@pytest.mark.slow
def test_json_has_every_column(demo: Path) -> None:
    found = json.loads(show(demo, "--grep", "冷柜", "-n", 2, "--json").output)
    assert (found["of"], found["matching"], len(found["rows"])) == (35, 3, 2)
    assert found["rows"][0]["row"]["published_at"] == "2022-02-10T09:12:33+08:00"
    nothing = run_newsdata("show", demo, "--grep", "nothing like it", "--json")
    assert nothing.returncode == 1 and json.loads(nothing.stdout)["rows"] == []


@pytest.mark.slow
def test_what_is_no_article(demo: Path) -> None:
    done = run_newsdata("show", demo, "20220210227550001")
    assert done.returncode == 2 and "no article has the id '20220210227550001'; 1.0.0 has no post" in done.stderr
    refused = show(demo, "--split", "dev").exception
    assert "one of train, validation, test, newer, excluded" in str(refused)


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_the_terminal(width: int, demo: Path) -> None:
    told = in_terminal(width, "show", demo, "-n", 36)
    assert told.code == 0 and max(map(columns_of, told.lines[:-1])) <= width
    assert not any(line.lstrip().startswith(tuple("，。、；：！？）》”")) for line in told.lines), "no line begins so"


@pytest.mark.slow
def test_hits_are_marked_on_a_terminal(demo: Path) -> None:
    marked = "\x1b[30m\x1b[43m冷柜\x1b[0m"
    told = in_terminal(80, "show", demo, "--grep", "冷柜")
    assert told.code == 0 and told.raw.count(marked) >= 6
    assert "\x1b" not in show(demo, "--grep", "冷柜").output
    whole = in_terminal(80, "show", demo, "202202102275500014", "--grep", "冷柜")
    row = newsdata.show(demo, "202202102275500014").rows[0].row
    assert whole.raw.count("43m冷") == sum((row[column] or "").count("冷柜") for column in ("title", "digest", "text"))


def test_a_hit_far_down_is_shown(tmp_path: Path) -> None:
    body = f"<p>{'今日库存平稳。' * 400}望川码头恢复通航。{'今日库存平稳。' * 400}</p>\n"
    archive = write_archive(tmp_path / "in", {**many_posts(3), "_posts/2022-03-01-far.md": post(body=body)})
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    lines = show(tmp_path / "out", "--grep", "望川码头").output.splitlines()
    assert any("望川码头" in line for line in lines) and len(lines) == 7
    assert lines[2].startswith("  …") and lines[4].endswith("…")


@pytest.mark.slow
def test_an_encoding_without_these_letters(demo: Path) -> None:
    told = run_newsdata("show", demo, "--grep", "冷柜", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert told.returncode == 0 and told.stdout.isascii() and told.stderr == ""
    assert told.stdout.endswith('3 articles of 35 in 1.0.0 hold "\\u51b7\\u67dc"\n'), (
        "the word is found as it was written"
    )


@pytest.mark.slow
def test_a_version_without_text(tmp_path: Path) -> None:
    newsdata.build(write_archive(tmp_path / "in", many_posts(4)), out := tmp_path / "out", num_proc=1, text="none")
    told = show(out, "-n", 1)
    assert (
        told.exit_code == 0
        and told.output.splitlines()[3] == "1 of 12 articles in 1.0.0, spaced evenly; this version has no text"
    )
    assert "`newsdata rehydrate` makes the one with text" in show(out, "202203010000000001").output
    done = run_newsdata("show", out, "--grep", "库存")
    assert done.returncode == 2 and "has no text that could be searched" in done.stderr


def hostile(folder: Path, **columns: object) -> Path:
    """A version by somebody else, whose rows hold what none of ours do."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = make_version(folder, months={"train": ("2021-12",)}, rows=2).parent
    path = out / "1.0.0" / "articles" / "train-2021-12-0000000.parquet"
    table = pq.read_table(path)
    for name, values in columns.items():
        table = table.append_column(name, values if isinstance(values, pa.Array) else pa.array([values, values]))
    pq.write_table(table, path)
    return out


def test_a_version_by_somebody_else(tmp_path: Path) -> None:
    import pyarrow as pa

    last = pa.array([253402300799000] * 2, pa.timestamp("ms", tz="UTC"))  # the last second of 9999
    odd = pa.array([{"start": -5, "end": 10**9}] * 2)
    out = hostile(
        tmp_path / "a", published_at=last, odd=pa.array([[{"start": 0, "end": 2**31}], [{"x": None}]]), more=odd, raw=b"\x1b[31m",
        num_chars=pa.array([-5, None], pa.int32()),
    )  # fmt: skip
    (identity, *_) = (row.row["article_id"] for row in newsdata.show(out).rows)
    for arguments in ([out], [out, identity], [out, "--json"], [out, identity, "--json"]):
        told = show(*arguments)
        assert told.exit_code == 0 and "9999-12-31" in told.output and "\x1b" not in told.output, told.exception
    assert "lacks the column digest" in str(show(out, "--grep", "x").exception)
    beyond = hostile(tmp_path / "b", published_at=pa.array([10**17] * 2, pa.timestamp("ms", tz="UTC")))
    for arguments in ([beyond], [beyond, identity]):
        refused = show(*arguments).exception
        assert isinstance(refused, VerifyError) and "is damaged (" in str(refused)


@pytest.mark.slow
def test_a_long_publisher_is_cut_and_one_character_is_one(tmp_path: Path) -> None:
    shards = {("articles", "train"): [article(1, text="涨", media="望" * 90)]}
    forge(tmp_path, shards)
    told = in_terminal(60, "show", tmp_path).lines
    assert told[1] == "  2022-01-02 16:00  train  1 character  000000000000000001"
    assert told[2].startswith("  望望") and told[2].endswith("望…") and columns_of(told[2]) <= 60
