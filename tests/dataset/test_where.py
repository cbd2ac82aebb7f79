"""What became of a file or an article."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import VerifyError

from ..conftest import ROOT, many_posts, post, run_newsdata, write_archive


@pytest.mark.slow
def test_articles_rejects_and_ignored_files(demo: Path) -> None:
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
    assert bare == found if len(posts[posts.path.str.endswith(path.rpartition("/")[2])]) == 1 else path in bare.why


DRAFT = "_posts/2022-03-24-draft-notes.md"


@pytest.mark.parametrize(
    "name",
    [
        DRAFT,
        f"./{DRAFT}",
        f"archive/{DRAFT}",
        f"../examples/archive/{DRAFT}",
        f"examples//archive/./{DRAFT}",
        str(ROOT / "examples" / "archive" / DRAFT),
        "2022-03-24-draft-notes.md",
    ],
)
def test_a_path_as_the_shell_completes_it(demo: Path, name: str) -> None:
    found = newsdata.where(demo, name)
    assert found.became == "reject" and found.reject and found.reject["path"] == DRAFT


def test_a_name_that_several_paths_end_with(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(4))
    for folder in ("_posts", "old_post"):
        write_archive(archive, {f"{folder}/2022-03-02-same.md": post(title=f"in {folder}")})
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    found = newsdata.where(tmp_path / "out", "2022-03-02-same.md")
    assert found.became == "unknown"
    assert found.why.endswith("; there is _posts/2022-03-02-same.md, old_post/2022-03-02-same.md")
    assert newsdata.where(tmp_path / "out", "in/old_post/2022-03-02-same.md").posts == ("old_post/2022-03-02-same.md",)


@pytest.mark.parametrize(
    ("name", "became", "why"),
    [
        ("examples/archive/_config.yml", "ignored", "files like this one are ignored: configuration"),
        ("images/logo.png", "ignored", "files like this one are ignored: not below _posts"),
        ("_posts/2022-03-24-never.md", "unknown", "1.0.0 has no post, no reject and no article with this name"),
        ("archive/_posts/2022-03-24-never.md", "unknown", "1.0.0 has no post, no reject and no article with this name"),
        ("_posts/.hidden.md", "unknown", "1.0.0 has no post, no reject and no article with this name; the names of "
         "ignored files (3) are not kept"),
        ("never.png", "unknown", "1.0.0 has no post, no reject and no article with this name; the names of ignored "
         "files (3) are not kept"),
        ("draft-notes.md", "unknown", f"1.0.0 has no post, no reject and no article with this name; there is {DRAFT}"),
        ("", "unknown", "1.0.0 has no post, no reject and no article with this name; the names of ignored files (3) are "
         "not kept"),
    ],
)  # fmt: skip
def test_names_of_no_post(demo: Path, name: str, became: str, why: str) -> None:
    found = newsdata.where(demo, name)
    assert (found.became, found.why) == (became, why)


@pytest.mark.slow
def test_an_excluded_article(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    moved = archive / "_posts" / "2022-03-01-202203010000000000.md"
    moved.write_bytes(moved.read_bytes().replace(b"date: 2022-03-01", b"date: 2022-03-20"))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    found = newsdata.where(tmp_path / "out", "./_posts/2022-03-01-202203010000000000.md")
    assert (found.became, found.why, found.split) == ("excluded", "excluded: moved; read from one post", "excluded")
    assert newsdata.where(tmp_path / "out", "202203010000000000", revision="1.0.0").became == "article"


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["damaged", "missing", "other columns"])
def test_a_shard_that_cannot_be_read(demo: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    for shard in ("posts/posts-2022-02-0000000.parquet", "articles/train-2022-02-0000000.parquet"):
        (tmp_path / "1.0.0" / shard).unlink()
        if damage == "damaged":
            (tmp_path / "1.0.0" / shard).write_bytes(b"PAR1 nothing")
        elif damage == "other columns":
            pq.write_table(pa.table({"x": [1]}), tmp_path / "1.0.0" / shard)
    with pytest.raises(VerifyError, match=r"posts-2022-02-0000000\.parquet: .*; fetch or build"):
        newsdata.where(tmp_path, DRAFT)
    with pytest.raises(VerifyError, match=r"train-2022-02-0000000\.parquet: .*; fetch or build"):
        newsdata.duplicates(tmp_path)
    told = run_newsdata("where", tmp_path, DRAFT)
    assert told.returncode == 1 and told.stderr.startswith(f"newsdata: {tmp_path / '1.0.0' / 'posts'}")


@pytest.mark.slow
def test_the_command_says_where(demo: Path) -> None:
    told = run_newsdata("where", demo, "_config.yml")
    assert told.stdout == "_config.yml: ignored\n  files like this one are ignored: configuration\n", told.stderr
    article = next(iter(newsdata.load_dataset(demo, split="test")))["article_id"]
    told = run_newsdata("where", demo, article)
    assert told.stdout.startswith(f"{article}: article, split test, articles/test-"), told.stderr
    assert "  post _posts/" in told.stdout
    assert run_newsdata("where", demo, "nobody").returncode == 1
