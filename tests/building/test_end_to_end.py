"""The main job, as its users run it: build, load, look, verify, break, verify again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.building.build import STAGES
from newsdata.building.gates import check_rows
from newsdata.errors import CallError, RejectsError, SourceError, VerifyError, VersionError

from ..conftest import ROOT, SHARED, many_posts, post, run_newsdata, write_archive


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


# -------------------------------------------------------------------------------------------------------- building


def test_demo_adds_up(demo: Path) -> None:
    accounting = newsdata.info(demo)["accounting"]
    assert accounting["files_seen"] == accounting["posts"] + accounting["rejects"] + accounting["ignored"]
    assert accounting["posts"] == accounting["articles"] + accounting["merged_posts"]
    on_disk = sum(1 for p in (ROOT / "examples" / "archive").rglob("*") if p.is_file())
    assert accounting["files_seen"] == on_disk
    assert accounting["rejects"] >= 1 and accounting["ignored"] >= 2 and accounting["merged_posts"] >= 2
    assert all(accounting["articles_by_split"][split] for split in ("train", "validation", "test"))


def test_same_bytes_whatever_the_circumstances(tmp_path: Path) -> None:
    files = many_posts(40, per_day=5)
    one = write_archive(tmp_path / "one", files)
    two = write_archive(tmp_path / "two", dict(reversed(files.items())))
    for path in (two / "_posts").iterdir():
        os.utime(path, (1, 1))
    first = run_newsdata("build", one, tmp_path / "a", "--num-proc", 1, TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C")
    second = run_newsdata("build", two, tmp_path / "b", "--num-proc", 2, TZ="America/New_York", PYTHONHASHSEED="2")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    a, b = digests(tmp_path / "a" / "1.0.0"), digests(tmp_path / "b" / "1.0.0")
    a.pop("README.md"), b.pop("README.md"), a.pop("croissant.json"), b.pop("croissant.json")
    differing = {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    assert differing <= {"manifest.json"}  # the name of OUT stands in the card, and the card's hash in the manifest
    shutil.move(tmp_path / "b", tmp_path / "other")
    (tmp_path / "other" / "a").mkdir()
    third = run_newsdata("build", two, tmp_path / "other" / "a", "--num-proc", 5, cwd=tmp_path)
    assert third.returncode == 0, third.stderr
    assert digests(tmp_path / "a" / "1.0.0") == digests(tmp_path / "other" / "a" / "1.0.0")


def test_nothing_of_the_machine_in_the_version(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "secret-place", many_posts(3))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    for file in (tmp_path / "out" / "1.0.0").rglob("*"):
        if file.is_file():
            assert b"secret-place" not in file.read_bytes(), file


def test_a_second_version_keeps_what_was_decided(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    write_archive(archive, many_posts(5, start_day=21))
    second = newsdata.build(archive, tmp_path / "out", version="1.1.0", num_proc=1)
    before, after = (
        newsdata.load_pandas(tmp_path / "out", revision=v).set_index("article_id") for v in ("1.0.0", "1.1.0")
    )
    assert (after.loc[before.index, "split"] == before["split"]).all()
    assert set(after.drop(before.index)["split"]) == {"newer"}
    assert second.manifest.configuration == newsdata.info(tmp_path / "out", revision="1.0.0")["configuration"]
    with pytest.raises(VersionError, match=r"not higher"):
        newsdata.build(archive, tmp_path / "out", version="1.1.0")
    again = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert (again.version, again.created) == ("1.1.0", False)
    with pytest.raises(VersionError, match="fixed"):
        newsdata.build(archive, tmp_path / "out", version="1.2.0", test_from="2022-03-03")


def test_a_corrected_date_moves_nothing(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    moved = archive / "_posts" / "2022-03-01-202203010000000000.md"
    moved.write_bytes(moved.read_bytes().replace(b"date: 2022-03-01", b"date: 2022-03-20"))
    for version, more in (("2.0.0", 0), ("2.1.0", 2)):
        write_archive(archive, many_posts(more, start_day=21))
        assert newsdata.build(archive, tmp_path / "out", num_proc=1).version == version
        excluded = newsdata.load_pandas(tmp_path / "out", "excluded", split="excluded")
        assert list(zip(excluded.article_id, excluded.excluded_reason, strict=True)) == [
            ("202203010000000000", "moved")
        ]
        assert newsdata.verify(tmp_path / "out").faults == ()


def test_rejects_fail_the_build_beyond_the_share(tmp_path: Path) -> None:
    files = many_posts(10) | {f"_posts/2022-03-01-20220301999999{i:04d}.md": b"" for i in range(11)}
    archive = write_archive(tmp_path / "in", files)
    with pytest.raises(RejectsError, match="empty: 11"):
        newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".newsdata"]
    made = newsdata.build(archive, tmp_path / "out", num_proc=1, max_reject_share=0.5)
    assert made.manifest.accounting["rejects_by_rule"] == {"empty": 11}
    with pytest.raises(RejectsError, match=r"--max-reject-share"):
        newsdata.build(archive, tmp_path / "out3", num_proc=1, max_reject_share=0.2)
    one = write_archive(tmp_path / "in1", many_posts(2) | {"_posts/2022-03-01-a.md": b""})
    assert newsdata.build(one, tmp_path / "out4", num_proc=1).created, "one of a few, and nothing was asked for"
    with pytest.raises(RejectsError):
        newsdata.build(one, tmp_path / "out5", num_proc=1, max_reject_share=0.0)
    with pytest.raises(RejectsError):
        newsdata.build(write_archive(tmp_path / "in2", {"_posts/2022-03-01-a.md": b""}), tmp_path / "out2", strict=True)


def test_an_archive_without_posts(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", {"index.html": b"x"}), tmp_path / "out")
    assert made.manifest.accounting["articles"] == 0
    assert newsdata.load_dataset(tmp_path / "out", split="train").num_rows == 0
    assert newsdata.verify(tmp_path / "out").faults == ()


def test_a_wrong_folder_does_not_replace_a_good_version(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(4))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    (tmp_path / "empty").mkdir()
    for wrong, why in ((tmp_path / "empty", "it is empty"), (archive / "_posts", "12 not below _posts")):
        done = run_newsdata("build", wrong, tmp_path / "out")
        assert done.returncode == 2 and why in done.stderr and "1.0.0 has 12" in done.stderr
    assert newsdata.info(tmp_path / "out")["version"] == "1.0.0"
    for path in (archive / "_posts").iterdir():
        newsdata.redact(tmp_path / "out", path.stem[-18:], reason="a request")
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).manifest.accounting["posts"] == 0, "as was asked for"


def test_no_version_goes_among_the_posts(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(1))
    with pytest.raises(SourceError, match="lies among the source's posts"):
        newsdata.build(archive, archive / "_posts" / "out", num_proc=1)


def test_splits_wait_for_the_first_dated_article(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {})
    done = run_newsdata("build", archive, tmp_path / "out")
    assert done.returncode == 0 and "no file is a post" in done.stdout
    write_archive(archive, many_posts(20))
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    alone = newsdata.build(archive, tmp_path / "alone", num_proc=1)
    assert made.manifest.accounting["articles_by_split"] == alone.manifest.accounting["articles_by_split"]
    assert alone.manifest.accounting["articles_by_split"]["test"]
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).created is False


def test_a_split_without_rows_is_told(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    done = run_newsdata(
        "build", archive, tmp_path / "out", "--validation-from", "2022-03-04", "--test-from", "2022-03-30"
    )
    assert done.returncode == 0 and "test   no article" in done.stdout, done.stdout + done.stderr


def test_undated_articles_are_excluded(tmp_path: Path) -> None:
    undated = post(date="").replace(b"date: \n", b"date:  +0800\n")
    archive = write_archive(tmp_path / "in", many_posts(5) | {"_posts/-202203011234567890.md": undated})
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    excluded = newsdata.load_dataset(tmp_path / "out", "excluded", split="excluded")
    assert excluded["excluded_reason"][:] == ["no-date"] and excluded["published_at"][:] == [None]
    assert (tmp_path / "out" / "1.0.0" / "excluded" / "excluded-undated-00000.parquet").is_file()
    found = newsdata.where(tmp_path / "out", "_posts/-202203011234567890.md")
    assert (found.became, found.why) == ("excluded", "excluded: no-date; read from one post")


# --------------------------------------------------------------------------------------------------------- loading


def test_plain_datasets(demo: Path) -> None:
    import datasets

    folder = str(demo / "1.0.0")
    accounting = newsdata.info(demo)["accounting"]
    every = datasets.load_dataset(folder)
    assert {s: d.num_rows for s, d in every.items()} == {s: n for s, n in accounting["articles_by_split"].items() if n}
    assert str(every["train"].features["published_at"].dtype) == "timestamp[ms, tz=Asia/Shanghai]"
    for config, key in (("posts", "posts"), ("rejects", "rejects")):
        assert datasets.load_dataset(folder, config, split=config).num_rows == accounting[key]
        streamed = datasets.load_dataset(folder, config, split=config, streaming=True)
        assert len(list(streamed)) == accounting[key]


def test_our_loader(demo: Path) -> None:
    rows = newsdata.load_dataset(demo)
    assert list(rows) == ["train", "validation", "test", "newer"]
    assert rows["newer"].num_rows == 0 and rows["newer"].features == rows["train"].features
    light = newsdata.load_dataset(demo, split="test", columns=["article_id", "title"])
    assert light.column_names == ["article_id", "title"]
    assert newsdata.load_dataset(demo / "1.0.0", "posts", split="posts", revision="v1.0.0").num_rows > 0
    assert newsdata.load_dataset(demo, split="train[:2]")["article_id"][:] == rows["train"]["article_id"][:2]


def test_streaming_slices_equal_the_rows(demo: Path) -> None:
    ids = newsdata.load_dataset(demo, split="train")["article_id"][:]
    for part in ("train", "train[:3]", "train[2:5]", "train[-2:]", "train[10%:50%]", "train[:1]+train[-1:]"):
        streamed = newsdata.load_dataset(demo, split=part, streaming=True, columns=["article_id"])
        loaded = newsdata.load_dataset(demo, split=part, columns=["article_id"])
        assert [row["article_id"] for row in streamed] == loaded["article_id"][:], part
    assert list(newsdata.load_dataset(demo, split="newer", streaming=True)) == []
    assert len(ids) > 5


def test_a_streamed_slice_is_whole_in_any_number_of_workers(tmp_path: Path) -> None:
    from datasets.distributed import split_dataset_by_node

    newsdata.build(write_archive(tmp_path / "in", many_posts(150)), tmp_path / "out", num_proc=1)
    for part in ("train[25%:75%]", "train[1:]", "train[:-1]+test[3:5]"):
        loaded = newsdata.load_dataset(tmp_path / "out", split=part)
        wanted = loaded.to_list()
        stream = newsdata.load_dataset(tmp_path / "out", split=part, streaming=True)
        assert list(stream) == wanted, part
        assert stream.features == loaded.features
        for count in (2, 3):
            nodes = [list(split_dataset_by_node(stream, rank, count)) for rank in range(count)]
            assert sorted(row["article_id"] for rows in nodes for row in rows) == sorted(loaded["article_id"]), part
    few = newsdata.load_dataset(tmp_path / "out", split="train[25%:75%]", streaming=True)
    assert few.num_shards > 2
    parts = [list(few.shard(few.num_shards, number)) for number in range(few.num_shards)]
    assert sum(map(len, parts)) == newsdata.load_dataset(tmp_path / "out", split="train[25%:75%]").num_rows


def test_other_rows_under_the_same_path_and_time_are_seen(tmp_path: Path) -> None:
    def titles(posts: dict[str, bytes]) -> list[str]:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.rmtree(tmp_path / "in", ignore_errors=True)
        newsdata.build(write_archive(tmp_path / "in", posts), tmp_path / "out", num_proc=1)
        for file in (tmp_path / "out").rglob("*"):
            os.utime(file, (1_600_000_000, 1_600_000_000))
        found: list[str] = newsdata.load_dataset(tmp_path / "out", split="train")["title"][:]
        return found

    posts = many_posts(4)
    first = titles(posts)
    changed = titles({path: data.replace("库存".encode(), "存货".encode()) for path, data in posts.items()})
    assert len(first) == len(changed) and all("存货" in title for title in changed)


def test_a_damaged_shard_is_not_streamed(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    shard = next((tmp_path / "1.0.0" / "articles").glob("test-*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(VerifyError, match="not the file that the manifest names"):
        newsdata.load_dataset(tmp_path, split="test", streaming=True)


def test_ways_to_ask(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    test = newsdata.load_dataset(demo, split=datasets.Split.TEST, columns=(c for c in ["title"]), revision="*")
    assert test.column_names == ["title"] and test.num_rows and str(test.split) == "test"
    again = newsdata.load_dataset(demo, split=test.split)
    assert again.num_rows == test.num_rows
    monkeypatch.chdir(demo.parent)
    with pytest.raises(VersionError, match=r"there are: 1\.0\.0"):
        newsdata.load_dataset(f"{demo.name}/1.0.1")  # no repository of a hub


@pytest.mark.parametrize("wrong", [{"num_proc": -1}, {"num_proc": 0}, {"num_proc": 2.5}, {"gap_days": -3}])
def test_numbers_that_are_none(wrong: dict[str, Any], tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(2))
    with pytest.raises(CallError, match="must be a whole number"):
        newsdata.build(archive, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_a_build_says_what_changed(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    assert "since" not in run_newsdata("build", archive, tmp_path / "out").stdout
    write_archive(archive, many_posts(2, start_day=6))
    told = run_newsdata("build", archive, tmp_path / "out").stdout
    assert "minor   since 1.0.0: 6 rows added to newer; 6 rows of posts added" in told and "gone" not in told
    other = write_archive(tmp_path / "other", many_posts(1, start_day=20))
    told = run_newsdata("build", other, tmp_path / "out").stdout
    assert "major   since 1.1.0: " in told and "21 of 21 posts are gone: is this the right archive?" in told


def test_gaps_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(30))
    done = run_newsdata("build", archive, tmp_path / "out", "--gap-days", "3")
    assert done.returncode == 2 and "leaves no article in validation and test" in done.stderr
    assert newsdata.build(archive, tmp_path / "out", gap_days=1, num_proc=1).created
    later = newsdata.build(archive, tmp_path / "later", test_from="2022-06-01", num_proc=1)
    assert later.manifest.configuration["test_from"] == "2022-06-01", "its days are still to come"
    early = newsdata.build(archive, tmp_path / "early", validation_from="2022-03-01", gap_days=1, num_proc=1)
    assert early.manifest.accounting["articles_by_split"]["train"] == 0, "no gap took those away"
    asked: dict[str, Any] = {"gap_days": 3, "validation_from": "2022-03-14", "test_from": "2022-03-21"}
    assert newsdata.build(archive, tmp_path / "other", num_proc=1, **asked).manifest.accounting["excluded"]


def test_loading_what_is_not_there(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(VersionError, match=r"there are: 1\.0\.0"):
        newsdata.load_dataset(demo, revision="2.0.0")
    with pytest.raises(VersionError, match="no dataset here"):
        newsdata.load_dataset(tmp_path)
    with pytest.raises(CallError, match="articles, posts"):
        newsdata.load_dataset(demo, "mentions")
    with pytest.raises(CallError, match="train, validation"):
        newsdata.load_dataset(demo, split="dev")
    with pytest.raises(CallError, match="titel"):
        newsdata.load_dataset(demo, split="test", columns=["titel"])
    wrong: tuple[list[str] | str, ...] = ([], "title")
    for columns in wrong:
        with pytest.raises(CallError, match="must be a list of columns"):
            newsdata.load_dataset(demo, split="test", columns=columns)
    with pytest.raises(CallError, match=r"train\+test"):
        newsdata.load_dataset(demo, split=["train", "test"])  # type: ignore[arg-type]


def test_offsets_hold_after_the_round_trip(demo: Path) -> None:
    spans = 0
    for split in newsdata.load_dataset(demo).values():
        for row in split:
            for mention in row["mentions"]:
                assert row["text"][mention["start"] : mention["end"]] == mention["text"]
                spans += 1
    assert spans > 3


# -------------------------------------------------------------------------------------------------- verify, where


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    return tmp_path / "1.0.0"


def test_verify_finds_a_changed_byte(copy: Path) -> None:
    shard = next((copy / "articles").glob("train-*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    faults = newsdata.verify(copy).faults
    assert any(shard.name in fault and "SHA-256" in fault for fault in faults)
    with pytest.raises(VerifyError, match=shard.name):
        newsdata.load_dataset(copy, split="train")


def test_verify_finds_missing_and_extra_files(copy: Path) -> None:
    next((copy / "posts").iterdir()).unlink()
    (copy / "articles" / "train-2022-01-99999.parquet").write_bytes(b"x")
    faults = "\n".join(newsdata.verify(copy).faults)
    assert "is missing" in faults and "is not in the manifest" in faults


def rewrite(copy: Path, pattern: str, change: object) -> None:
    """Change a shard's rows and put its new hash into the manifest, as a careless hand would."""
    shard = sorted((copy / "articles").glob(pattern))[0]
    table = change(pq.read_table(shard))  # type: ignore[operator]
    pq.write_table(table, shard)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    entry = next(s for s in manifest["shards"] if s["path"] == f"articles/{shard.name}")
    entry |= {"bytes": shard.stat().st_size, "sha256": hashlib.sha256(shard.read_bytes()).hexdigest()}
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_verify_finds_an_offset_that_does_not_match(copy: Path) -> None:
    def shift(table: object) -> object:
        import pyarrow as pa

        rows = table.to_pylist()  # type: ignore[attr-defined]
        row = next(r for r in rows if r["mentions"])
        row["mentions"][0]["start"] += 1
        return pa.Table.from_pylist(rows, schema=table.schema)  # type: ignore[attr-defined]

    with_mentions = next(
        p.name for p in sorted((copy / "articles").iterdir())
        if any(pq.read_table(p, columns=["mentions"])["mentions"].to_pylist())
    )  # fmt: skip
    rewrite(copy, with_mentions, shift)
    assert any("mentions[0]" in fault for fault in newsdata.verify(copy).faults)


def test_verify_finds_wrong_counts_and_an_id_in_two_splits(copy: Path) -> None:
    import pyarrow as pa

    test = pq.read_table(sorted((copy / "articles").glob("test-*"))[0])
    rewrite(copy, "train-*", lambda table: pa.concat_tables([table, test.slice(0, 1)]))
    faults = "\n".join(newsdata.verify(copy).faults)
    assert "stands in" in faults and "rows, not" in faults and "belongs to test" in faults


def test_where(demo: Path) -> None:
    posts = newsdata.load_pandas(demo, "posts", split="posts")
    counts = posts.article_id.value_counts()
    merged = posts[posts.article_id == counts.index[0]]
    found = newsdata.where(demo, merged.path.iloc[0])
    assert found.became == "article" and set(found.posts) == set(merged.path)
    assert newsdata.where(demo, counts.index[0]) == found
    rejects = newsdata.load_pandas(demo, "rejects", split="rejects")
    assert newsdata.where(demo, rejects.path.iloc[0]).became == "reject"
    assert newsdata.where(demo, "_config.yml").became == "ignored"
    assert newsdata.where(demo, "_posts/2001-01-01-no.md").became == "unknown"
    assert newsdata.where(demo, "999999999999999999").became == newsdata.where(demo, "12345").became == "unknown"
    path = str(merged.path.iloc[0])
    bare = newsdata.where(demo, path.rpartition("/")[2])
    assert bare.became == "unknown" and path in bare.why


# ---------------------------------------------------------------------------------------------------- command line


def test_commands(demo: Path, tmp_path: Path) -> None:
    built = run_newsdata("build", "examples/archive", tmp_path / "out", "--json")
    assert built.returncode == 0, built.stderr
    answer = json.loads(built.stdout)
    assert set(answer["stages"]) == set(STAGES)
    assert all(stage.keys() == {"seconds", "rows", "tasks", "ran", "found"} for stage in answer["stages"].values())
    for command in (["info", demo], ["verify", demo], ["where", demo, "_config.yml"]):
        assert json.loads(run_newsdata(*command, "--json").stdout)
        assert run_newsdata(*command).returncode == 0
    again = run_newsdata("build", "examples/archive", tmp_path / "out")
    assert again.returncode == 0 and "Nothing changed" in again.stdout
    lower = run_newsdata("build", "examples/archive", tmp_path / "out", "--version", "0.9.0")
    assert lower.returncode == 2 and "not higher" in lower.stderr and "Traceback" not in lower.stderr


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


def test_json_can_be_read_and_harms_no_terminal(tmp_path: Path) -> None:
    title = "库存\u009b31m\u202e\u2028第1报"
    archive = write_archive(tmp_path, {"_posts/2022-03-01-202203010000000001.md": post(title=title)})
    path = archive / "_posts" / "2022-03-01-202203010000000001.md"
    told = run_newsdata("parse", path, PYTHONUTF8="1").stdout
    assert "库存" in told and told.replace("\n", "").replace("\u3000", "").isprintable()
    plain = run_newsdata("parse", path, PYTHONUTF8="0", PYTHONIOENCODING="ascii").stdout
    assert plain.isascii() and json.loads(plain) == json.loads(told)
    assert json.loads(told)["title"].startswith("库存31m\u202e")


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "nowhere", "out"],
        ["info", "nowhere"],
        ["verify", "nowhere"],
        ["parse", "nowhere.md"],
        ["build"],
        ["bild"],
    ],
)
def test_wrong_calls_end_with_2_and_no_traceback(arguments: list[str], tmp_path: Path) -> None:
    found = run_newsdata(*arguments, cwd=tmp_path)
    assert found.returncode == 2 and "Traceback" not in found.stderr and found.stderr.strip()
    assert not (tmp_path / "out" / "1.0.0").exists()


def test_a_card_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    card = tmp_path / "mine.md"
    for text, why in (("# My courier\n", "no YAML header"), ("---\nlicense: mit\n", "mine.md")):
        card.write_text(text, encoding="utf-8")
        done = run_newsdata("build", "examples/archive", tmp_path / "out", "--card", card)
        assert done.returncode == 2 and "mine.md" in done.stderr and why in done.stderr, done.stderr
        assert "dataset_card.md:" not in done.stderr


def test_two_builds_at_once(tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out" / ".newsdata").mkdir(parents=True)
    with FileLock(tmp_path / "out" / ".newsdata" / "lock"):
        found = run_newsdata("build", "examples/archive", tmp_path / "out")
    assert found.returncode == 2 and "another build" in found.stderr
    assert run_newsdata("build", "examples/archive", tmp_path / "out").returncode == 0


def test_leftovers_of_a_killed_build_are_cleaned_up(tmp_path: Path) -> None:
    left = tmp_path / "out" / ".newsdata" / "staging" / "version"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    newsdata.build("examples/archive", tmp_path / "out", num_proc=1)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [".newsdata", "1.0.0"]
    assert not (tmp_path / "out" / ".newsdata" / "staging").exists()


@pytest.mark.slow
def test_regenerate_script(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = [sys.executable, "scripts/regenerate.py", "examples/archive", str(tmp_path / "out"), *arguments]
        return subprocess.run(script, cwd=ROOT, capture_output=True, text=True)

    first = run()
    assert (first.returncode, first.stderr) == (0, "") and "1.0.0 built" in first.stdout
    assert len(first.stdout.splitlines()) == 1
    assert "unchanged" in run().stdout
    assert run("--version", "1.0.0").returncode == 2


def test_rows_know_their_version(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(12)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, version="1.4.0")
    ways: tuple[dict[str, Any], ...] = ({}, {"streaming": True}, {"deduplicate": True})
    for options in ways:
        every = newsdata.load_dataset(out, **options)
        assert {str(rows.info.version) for rows in every.values()} == {"1.4.0"}, options
        both = newsdata.load_dataset(out, split="train+test", **options)
        assert str(both.info.version) == "1.4.0", options


# ------------------------------------------------------------------------------------------------- many years


def over_years(months: int, first: int = 2001) -> dict[str, bytes]:
    """A flash a month, and one that has no date."""
    dates = [f"{first + number // 12}-{number % 12 + 1:02d}-15" for number in range(months)]
    files = {
        f"_posts/{day}-story.md": post(
            title=f"{day}一则", date=f"{day} 09:30:00 +0800", body=f"\n{day}的事，{'甲乙丙丁'[n % 4] * 9}。\n"
        )
        for n, day in enumerate(dates)
    }
    return files | {"_posts/undated.md": b"---\ntitle: x\n---\nNobody knows when.\n"}


@pytest.mark.parametrize("months", [42, 64, *(pytest.param(n, marks=pytest.mark.slow) for n in (31, 128, 300))])
def test_an_archive_of_many_months_loses_no_row(tmp_path: Path, months: int) -> None:
    archive, out = write_archive(tmp_path / "in", over_years(months)), tmp_path / "out"
    made = newsdata.build(archive, out, num_proc=1)
    write_archive(archive, over_years(months + 2))
    newsdata.build(archive, out, num_proc=1)
    assert newsdata.verify(out).faults == ()
    accounting = made.manifest.accounting
    assert accounting["articles"] == months + 1 and accounting["excluded_by_reason"]["no-date"] == 1
    for split, rows in accounting["articles_by_split"].items():
        assert len(newsdata.load_pandas(made.path, split=split)) == rows, split
    assert len(newsdata.load_pandas(out, split="newer")) == 2


def test_rows_that_were_not_written_are_no_version(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out", num_proc=1)
    check_rows(made.manifest.shards, made.manifest.accounting)
    with pytest.raises(AssertionError, match="test: 0 of "):
        check_rows([s for s in made.manifest.shards if s.split != "test"], made.manifest.accounting)


@pytest.mark.slow
@pytest.mark.parametrize("site", ["jekyll-fixtures", "mzlogin", "opensuse-news", "twbs"])
def test_real_sites_are_good(site: str, tmp_path: Path) -> None:
    if not (SHARED / "jekyll" / site).is_dir():
        pytest.skip("the shared posts of other sites are not here")
    newsdata.build(SHARED / "jekyll" / site, tmp_path / "out", max_reject_share=1.0, num_proc=1)
    assert newsdata.verify(tmp_path / "out").faults == ()


def test_a_wrong_year_does_not_keep_the_test_window_open(tmp_path: Path) -> None:
    wrong = {"_posts/2203-03-05-wrong.md": post(title="某年", date="2203-03-05 09:30:00 +0800")}
    archive = write_archive(tmp_path / "in", {**many_posts(20), **wrong})
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert made.manifest.configuration["test_until"] == "2022-03-20"
    assert made.manifest.accounting["articles_by_split"]["newer"] == 1
    assert made.notes == ("1 articles are dated years after all others and stand in `newer`: are their dates right?",)


def test_a_first_version_of_no_site_is_refused(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(2))
    done = run_newsdata("build", archive / "_posts", tmp_path / "out")
    assert done.returncode == 2 and "no file in it is a post (6 not below _posts); give the folder" in done.stderr
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).version == "1.0.0"
