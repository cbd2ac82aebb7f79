"""What became of a file or an article."""

from __future__ import annotations

from pathlib import Path

import newsdata

from ..conftest import many_posts, run_newsdata, write_archive


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
    assert bare.became == "unknown" and path in bare.why


def test_an_excluded_article(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    moved = archive / "_posts" / "2022-03-01-202203010000000000.md"
    moved.write_bytes(moved.read_bytes().replace(b"date: 2022-03-01", b"date: 2022-03-20"))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    found = newsdata.where(tmp_path / "out", "./_posts/2022-03-01-202203010000000000.md")
    assert (found.became, found.why, found.split) == ("excluded", "excluded: moved; read from one post", "excluded")
    assert newsdata.where(tmp_path / "out", "202203010000000000", revision="1.0.0").became == "article"


def test_the_command_says_where(demo: Path) -> None:
    told = run_newsdata("where", demo, "_config.yml")
    assert told.stdout == "_config.yml: ignored\n  files like this one are ignored: configuration\n", told.stderr
    article = next(iter(newsdata.load_dataset(demo, split="test")))["article_id"]
    told = run_newsdata("where", demo, article)
    assert told.stdout.startswith(f"{article}: article, split test, articles/test-"), told.stderr
    assert "  post _posts/" in told.stdout
    assert run_newsdata("where", demo, "nobody").returncode == 1
