"""A version without the publisher's words: none is in it, and with the archive it becomes the full build."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import newsdata
from newsdata.building import shard_plan
from newsdata.cli.main import cli
from newsdata.errors import CallError, RehydrateError, VerifyError, VersionError
from newsdata.schema import CONFIGS, REJECT_RULES, columns, table_schema
from newsdata.storage.ledger import read_ledger
from newsdata.storage.manifest import read_manifest
from newsdata.storage.text_free import blank_table

from ..conftest import ROOT, SHARED, many_posts, needs_finews, post, run_newsdata, write_archive

RUN = 8
EXAMPLE = ROOT / "examples" / "archive"


# --------------------------------------------------------------------------------------- what is in the bytes


def runs(texts: Iterable[str]) -> set[str]:
    """Every run of 8 characters."""
    return {text[i : i + RUN] for text in texts for i in range(len(text) - RUN + 1)}


def words_of(folder: Path) -> set[str]:
    """Every run of a title, digest or text of a full version, front matter and bodies included."""
    texts: list[str] = []
    for shard in read_manifest(folder).shards:
        names = [n for n in ("title", "digest", "text", "body", "front_matter") if n in columns(shard.config)]
        for row in pq.read_table(folder / shard.path, columns=names).to_pylist():
            texts += [text for text in row.values() if text]
    return runs(texts)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def values_of(folder: Path) -> list[str]:
    """Every string of every table of a version."""
    tables = [pq.read_table(path) for path in sorted(folder.rglob("*.parquet"))]
    return [
        text for table in (*tables, read_ledger(folder, read_manifest(folder))) for text in strings(table.to_pylist())
    ]


def readings_of(folder: Path) -> Iterator[str]:
    """The raw bytes of every file as text: UTF-8, UTF-16 both ways at both places, escaped as in JSON."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        plain = data.decode("utf-8", "replace")
        yield plain
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), plain)
        for encoding in ("utf-16-le", "utf-16-be"):
            yield data.decode(encoding, "replace")
            yield data[1:].decode(encoding, "replace")


def found_words(folder: Path, words: set[str]) -> set[str]:
    """The words that stand in a version.

    Ids, paths, addresses, codes and dates stay, and a body names them, too: runs of ASCII are not counted.
    """
    words = {run for run in words if not run.isascii()}
    texts = chain(values_of(folder), readings_of(folder))
    return {run for text in texts for i in range(len(text) - RUN + 1) if (run := text[i : i + RUN]) in words}


def same_files(one: Path, two: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    contents = [{p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (one, two)]
    return contents[0] == contents[1]


HOSTILE = {
    # words in every place that can hold some
    "_posts/2022-03-02-202203020000000001.md": post(
        title="紧急：海港仓库连夜排查隐患",
        date="2022-03-02 08:00:00 连夜排查隐患到天明",
        category="海港仓库连夜排查隐患",
        tag="海港仓库连夜排查隐患",
        body=(
            "> 海港仓库连夜排查隐患，无人受伤。（海港仓库连夜排查隐患报）\n\n"
            '<p><span id="stock_0.海港仓库连夜排查隐患"><a class="keytip" data-code="0,海港仓库连夜排查隐患" '
            'href="http://q.example/海港仓库连夜排查隐患">海港仓库连夜排查隐患</a></span>昨夜开始。</p>'
            '<p><span id="stock_0.000333"><a class="keytip" data-code="0,000333" '
            'href="http://q.example/海港仓库连夜排查隐患">海港仓库连夜排查</a></span>今晨结束。</p>'
            '<p><a href="http://q.example/%E6%B5%B7%E6%B8%AF%E4%BB%93%E5%BA%93">链接</a>'
            '<a href="http://q.example/&#28023;&#28207;">链接</a></p>'
            '<center><img src="http://i.example/海港仓库连夜排查隐患.png"></center>'
            '<p style="text-align:center">海港仓库连夜排查隐患图</p>'
            '<p class="em_media">（文章来源：海港仓库连夜排查隐患报）</p>\n\n'
            "<http://news.example/海港仓库连夜排查隐患.html>\n"
        ),
    ),
    # rejects that quote their file
    "_posts/2022-03-02-202203020000000002.md": "---\n- 海港仓库连夜排查隐患二\n- 二\n---\n正文\n".encode(),
    "_posts/2022-03-02-202203020000000003.md": "---\ntitle: 海港仓库连夜排查隐患三\n正文没有结尾\n".encode(),
}


def hostile_archive(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "hostile", many_posts(6) | HOSTILE)


@pytest.mark.parametrize(
    "source",
    [
        "example",
        pytest.param("finews", marks=[needs_finews, pytest.mark.slow]),
        pytest.param("hostile", marks=pytest.mark.slow),
    ],
    ids=lambda name: str(name),
)
def test_no_word_is_in_it_and_rehydrated_it_equals_the_full_build(source: str, tmp_path: Path) -> None:
    archive = {"example": EXAMPLE, "finews": SHARED / "finews"}.get(source) or hostile_archive(tmp_path)
    full = newsdata.build(archive, tmp_path / "full", num_proc=1).path
    free = newsdata.build(archive, tmp_path / "free", text="none", num_proc=1).path
    words = words_of(full)
    assert len(found_words(full, words)) > 100  # the search finds what is there
    assert found_words(free, words) == set()
    assert newsdata.verify(free).faults == ()
    made = newsdata.rehydrate(free, archive, tmp_path / "again", num_proc=1)
    assert (made.same_bytes, made.tools, made.other_posts) == (True, {}, 0)
    assert same_files(full, made.path)


@pytest.mark.slow
def test_what_stays(tmp_path: Path) -> None:
    full = newsdata.build(EXAMPLE, tmp_path / "full", num_proc=1)
    free = newsdata.build(EXAMPLE, tmp_path / "free", text="none", num_proc=1)
    stay = [
        "article_id",
        "published_at",
        "feed",
        "url",
        "headings",
        "links",
        "num_chars",
    ]
    stay += ["is_flash", "duplicate_cluster", "leak_group", "fold", "issues", "sources", "chart_symbols"]
    gone = ["title", "digest", "digest_credit", "text", "publisher", "media", "source", "tags", "authors", "notices"]
    gone += ["image"]
    assert {*stay, *gone, "category", "categories", "lang", "mentions", "text_codes", "images"} == set(
        columns("articles")
    )
    before, after = (newsdata.load_dataset(v.path, split="train") for v in (full, free))
    assert before.select_columns(stay).to_list() == after.select_columns(stay).to_list()
    assert {value for row in after.select_columns(gone).to_list() for value in row.values()} == {None}
    for old, new in zip(before["mentions"], after["mentions"], strict=True):
        assert [{**mention, "text": None} for mention in old] == new
    for old, new in zip(before["text_codes"], after["text_codes"], strict=True):
        assert [{**code, "text": None} for code in old] == new
    slugs = [name if name and " " not in name else None for name in before["category"]]
    assert slugs == after["category"] and len(set(slugs)) > 3
    assert any(after["mentions"]) and any(after["images"])
    for config in CONFIGS:
        filled = free.manifest.columns.get(config, {})
        assert not any(filled.get(name) for name in (*gone, "front_matter", "body", "excerpt"))
    stored = {shard.path: shard.sha256 for shard in free.manifest.full}
    assert stored == {shard.path: shard.sha256 for shard in full.manifest.shards}
    assert read_manifest(free.path) == free.manifest
    card = (free.path / "README.md").read_text("utf-8")
    assert "holds no text" in card and "newsdata rehydrate" in card


@pytest.mark.parametrize(
    ("column", "value", "stays"),
    [
        ("url", "http://news.example/a,1.html?x=%20&y=2#z", True),
        ("url", "http://news.example/?q=%E6%B5%B7", False),
        ("url", "http://news.example/?q=%", False),
        ("url", "http://news.example/&#28023;", False),
        ("url", r"http://news.example/\u6d77", False),
        ("url", "http://news.example/海", False),
        ("category", "zhongguozhengquanbao", True),
        ("category", "two words", False),
        ("category", "要闻", False),
        ("chart_symbols", ["106.NIO"], True),
        ("chart_symbols", ["一"], False),
    ],
)
def test_strings_stay_only_in_the_form_they_should_have(column: str, value: str | list[str], stays: bool) -> None:
    schema = table_schema("articles")
    table = pa.Table.from_pylist([{column: value}, {column: None}], schema=schema)
    blank = None if isinstance(value, str) else [None]
    assert blank_table(table, "articles", schema)[column].to_pylist() == [value if stays else blank, None]


@pytest.mark.parametrize(
    ("written", "stays"),
    [
        ("2022-01-27 08:18:45 +0800", True),
        ("2022-01-27T08:18:45.000Z", True),
        ("2022-01-27 08:18:45 CST", True),
        ("27 January, in the evening", False),
        ("2022-01-27 晚", False),
    ],
)
def test_dates_stay_where_they_are_dates(written: str, stays: bool) -> None:
    schema = table_schema("posts")
    table = pa.Table.from_pylist([{"date_written": written, "categories": ["a-b", "甲", "c d"]}], schema=schema)
    row = blank_table(table, "posts", schema).to_pylist()[0]
    assert row["date_written"] == (written if stays else None)
    assert row["categories"] == ["a-b", None, None]


def test_a_reject_says_its_rule_and_quotes_nothing() -> None:
    schema = table_schema("rejects")
    row = {
        "path": "a.md",
        "size": 9,
        "rule": "data-file",
        "reason": "it says “words”",
        "line": 2,
        "excerpt": "words",
    }
    blanked = blank_table(pa.Table.from_pylist([row], schema=schema), "rejects", schema).to_pylist()
    kept = {"path": "a.md", "sha256": None, "size": 9, "rule": "data-file", "line": 2, "excerpt": None}
    assert blanked == [{**kept, "reason": REJECT_RULES["data-file"]}]


def test_every_column_is_decided() -> None:
    """A column that nobody decided about is blank."""
    for config in CONFIGS:
        schema = table_schema(config).append(pa.field("new_column", pa.string()))
        table = pa.Table.from_pylist([{"new_column": "some words", "rule": "empty"}], schema=schema)
        assert blank_table(table, config, schema)["new_column"].to_pylist() == [None]


# --------------------------------------------------------------------------------------------- versions of it


def two_versions(tmp_path: Path) -> tuple[Path, Path]:
    """An archive that grew, built both ways: the folders of the full and of the text-free versions."""
    archive = write_archive(tmp_path / "in", many_posts(45))
    for text in ("full", "none"):
        newsdata.build(archive, tmp_path / text, text=text, num_proc=1)
    for text in ("full", "none"):
        newsdata.redact(tmp_path / text, "202203060000000000", reason="asked for")
    # new days, a new copy of an old article, a file that broke, one that went, and a date that was corrected
    copied = (archive / "_posts/2022-03-03-202203030000000000.md").read_bytes().replace(b"2022-03-03", b"2022-04-16")
    moved = (archive / "_posts/2022-03-04-202203040000000000.md").read_bytes().replace(b"2022-03-04", b"2022-04-14")
    more = many_posts(3, start_day=46) | {
        "_posts/2022-04-16-202204160000000009.md": copied,
        "_posts/2022-03-02-202203020000000002.md": b"",
        "_posts/2022-03-04-202203040000000000.md": moved,
    }
    write_archive(archive, more)
    (archive / "_posts/2022-03-05-202203050000000000.md").unlink()
    for text in ("full", "none"):  # the second one takes its kind from the first
        assert newsdata.build(archive, tmp_path / text, num_proc=1).version == "2.0.0"
    return tmp_path / "full", tmp_path / "none"


@pytest.mark.slow
def test_a_later_version_needs_nothing_but_itself(tmp_path: Path) -> None:
    full, free = two_versions(tmp_path)
    alone = shutil.copytree(free / "2.0.0", tmp_path / "downloaded")
    made = newsdata.rehydrate(alone, tmp_path / "in", tmp_path / "again", num_proc=1)
    assert made.version == "2.0.0" and made.same_bytes
    assert same_files(full / "2.0.0", made.path)
    assert newsdata.verify(made.path).faults == ()
    aside = newsdata.info(made.path)["accounting"]["excluded_by_reason"]
    assert aside["moved"] == 1 and aside["straddle"] >= 1
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["2.0.0", "README.md"]
    # shards that stayed are links
    places = {
        path: [(free / version / path).stat().st_ino for version in ("1.0.0", "2.0.0")]
        for path in ("articles/train-2022-04-0000000.parquet", "articles/train-2022-03-0000000.parquet")
    }
    assert [len(set(numbers)) for numbers in places.values()] == [1, 2]


@pytest.mark.slow
def test_a_newer_copy_of_the_archive_serves(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(10) | {"_posts/2022-03-01-note.html": b"<p>note</p>"})
    full = newsdata.build(archive, tmp_path / "full", num_proc=1).path
    free = newsdata.build(archive, tmp_path / "free", text="none", num_proc=1).path
    # newer posts, one of an article that is there, one that would take another's id, and a file that is none
    newer = many_posts(2, start_day=11) | {
        "_posts/2022-03-01-note.md": b"---\n---\nnote\n",
        "old_post/2022-03-01-202203010000000000.md": post(),
        "about.html": b"x",
    }
    write_archive(archive, newer)
    made = newsdata.rehydrate(free, archive, tmp_path / "again", num_proc=1)
    assert (made.same_bytes, made.other_posts) == (True, 8)
    hashes = [[shard.sha256 for shard in read_manifest(folder).shards] for folder in (full, made.path)]
    assert hashes[0] == hashes[1]
    assert (full / "ledger.arrow").read_bytes() == (made.path / "ledger.arrow").read_bytes()
    assert newsdata.verify(made.path).faults == ()


@pytest.mark.slow
def test_borders_are_those_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard that grew beyond the size of a first cut is not cut anew when the one after it went away."""
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 12)
    archive = write_archive(tmp_path / "in", many_posts(8))
    newsdata.build(archive, tmp_path / "free", text="none", num_proc=1)
    files = sorted((archive / "_posts").iterdir())
    for file in files[12:]:
        file.unlink()
    write_archive(archive, {f"_posts/2022-03-02-2022030277777777{i:02d}.md": post() for i in range(9)})
    free = newsdata.build(archive, tmp_path / "free", num_proc=1).path
    assert pq.read_metadata(free / "posts/posts-2022-03-0000000.parquet").num_rows == 21
    assert newsdata.rehydrate(free, archive, tmp_path / "again", num_proc=1).same_bytes


@pytest.mark.slow
def test_a_folder_holds_one_kind(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(3))
    for text, other in (("full", "none"), ("none", "full")):
        newsdata.build(archive, tmp_path / text, text=text, num_proc=1)
        with pytest.raises(VersionError, match="one kind"):
            newsdata.build(archive, tmp_path / text, text=other, num_proc=1)
    with pytest.raises(VersionError, match="one kind"):
        newsdata.build(archive, tmp_path / "full", base=tmp_path / "none" / "1.0.0", num_proc=1)
    with pytest.raises(CallError, match="must be full or none"):
        newsdata.build(archive, tmp_path / "new", text="some")
    assert not newsdata.build(archive, tmp_path / "none", num_proc=1).created


@pytest.mark.slow
def test_a_change_of_words_alone_counts(tmp_path: Path) -> None:
    """Tags are blank in a text-free version; the hashes tell that those of the full build changed."""
    files = many_posts(5) | {"_posts/2022-03-01-note.md": b"---\ntitle: note\n---\nwords\n"}
    archive = write_archive(tmp_path / "in", files)
    first = newsdata.build(archive, tmp_path / "free", text="none", num_proc=1)
    (archive / "_config.yml").write_text("timezone: Asia/Shanghai\ndefaults:\n- values: {tags: [note]}\n", "utf-8")
    second = newsdata.build(archive, tmp_path / "free", num_proc=1)
    assert second.version == "2.0.0"
    assert second.difference is not None and "the words of 1 shards of train changed" in second.difference.reasons
    paths = [[(s.path, s.sha256) for s in made.manifest.shards] for made in (first, second)]
    assert paths[0] == paths[1]


# --------------------------------------------------------------------------------------------------- refusals


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    archive = write_archive(tmp_path / "in", many_posts(5))
    return archive, newsdata.build(archive, tmp_path / "free", text="none", num_proc=1).path


@pytest.mark.slow
def test_a_copy_that_differs_is_refused(small: tuple[Path, Path], tmp_path: Path) -> None:
    archive, free = small
    (archive / "_posts/2022-03-01-202203010000000000.md").unlink()
    changed = archive / "_posts/2022-03-05-202203050000000001.md"
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(RehydrateError) as caught:
        newsdata.rehydrate(free, archive, tmp_path / "again", num_proc=1)
    assert caught.value.exit_code == 1
    faults = caught.value.faults
    assert faults[0] == "1 of 15 posts missing: _posts/2022-03-01-202203010000000000.md"
    assert faults[1] == "1 of 15 posts changed: _posts/2022-03-05-202203050000000001.md"
    assert set(faults[2:]) >= {
        "articles/test-2022-03-0000000.parquet: its rows differ",
        "articles/train-2022-03-0000000.parquet: its rows differ",
        "posts/posts-2022-03-0000000.parquet: its rows differ",
    }
    assert not any("validation" in fault for fault in faults)
    said = str(caught.value).splitlines()
    assert said[1:-1] == [f"  {fault}" for fault in faults]
    assert said[-1].startswith("nothing was written; use the archive as it was then")
    assert said[-1].endswith("--partial writes the articles that can be made")
    assert not (tmp_path / "again").exists()


@pytest.mark.slow
def test_the_folder_above_the_site_is_named(small: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    with pytest.raises(RehydrateError, match="15 of 15 posts missing") as caught:
        newsdata.rehydrate(small[1], tmp_path / "above", tmp_path / "again", num_proc=1)
    assert str(caught.value.hint).endswith("give the folder of the site itself, the one that holds `_posts`")


@pytest.mark.slow
def test_another_configuration_is_named(small: tuple[Path, Path], tmp_path: Path) -> None:
    archive, free = small
    (archive / "_config.yml").write_text("timezone: Europe/Paris\n", "utf-8")
    out = tmp_path / "again"
    out.mkdir()
    with pytest.raises(RehydrateError, match=r"_config\.yml") as caught:
        newsdata.rehydrate(free, archive, out, num_proc=1)
    assert not any("posts missing" in fault for fault in caught.value.faults)
    assert not list(out.iterdir())


@pytest.mark.slow
def test_other_tools_are_named(small: tuple[Path, Path], tmp_path: Path) -> None:
    """Rows decide: a version whose shards were packed by other tools is made with the same rows."""
    archive, free = small
    path = free / "manifest.json"
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    data["tools"]["pyarrow"] = "1.0"
    data["full"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(data), "utf-8")
    made = newsdata.rehydrate(free, archive, tmp_path / "again", num_proc=1)
    assert not made.same_bytes and made.tools == {"pyarrow": ("1.0", pa.__version__)}
    data["full"][0]["digest"] = "0" * 64
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(RehydrateError, match=r"with: pyarrow 1\.0"):
        newsdata.rehydrate(free, archive, tmp_path / "other", num_proc=1)


@pytest.mark.slow
def test_calls_that_make_no_sense(small: tuple[Path, Path], tmp_path: Path) -> None:
    archive, free = small
    with pytest.raises(VersionError, match="already"):
        newsdata.rehydrate(free, archive, free.parent)
    with pytest.raises(VersionError, match="no dataset"):
        newsdata.rehydrate(tmp_path / "nothing", archive, tmp_path / "again")
    shutil.copytree(free, tmp_path / "mixed" / "0.9.0")
    with pytest.raises(VersionError, match="text-free"):
        newsdata.rehydrate(free, archive, tmp_path / "mixed")
    full = newsdata.build(archive, tmp_path / "full", num_proc=1).path
    with pytest.raises(CallError, match="text already"):
        newsdata.rehydrate(full, archive, tmp_path / "again")
    shard = free / "posts/posts-2022-03-0000000.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(VerifyError, match="damaged"):
        newsdata.rehydrate(free, archive, tmp_path / "again")
    assert not (tmp_path / "again").exists()


# ----------------------------------------------------------------------------------------------- command line


@pytest.mark.slow
def test_command_line(small: tuple[Path, Path], tmp_path: Path) -> None:
    archive, free = small
    # no --full-text is needed to pass it on
    newsdata.publish(free, str(tmp_path / "public"))
    arguments = ["rehydrate", tmp_path / "public" / "1.0.0", archive, tmp_path / "full", "--json"]
    made = CliRunner().invoke(cli, [*map(str, arguments)])
    assert made.exit_code == 0, made.output
    answer = json.loads(made.stdout)
    assert (answer["version"], answer["same_bytes"]) == ("1.0.0", True)
    assert newsdata.verify(tmp_path / "full").faults == ()
    write_archive(archive, {"_posts/2022-03-01-202203010000000000.md": post()})
    built = CliRunner().invoke(cli, ["build", str(archive), str(tmp_path / "new"), "--text", "none", "--quiet"])
    assert built.exit_code == 0 and newsdata.info(tmp_path / "new")["configuration"]["text"] == "none"
    refused = run_newsdata("rehydrate", free, archive, tmp_path / "again", "--quiet")
    assert refused.returncode == 1 and "1 of 15 posts changed" in refused.stderr
    assert not (tmp_path / "again").exists()
