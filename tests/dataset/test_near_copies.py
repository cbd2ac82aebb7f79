"""Who copied whom, and when; and loading one article a cluster."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError

from ..conftest import many_posts, post, run_newsdata, write_archive

STORY = [
    "".join(
        f"{'东南西北'[(k * 7 + i) % 4]}岸第{k * 31 + i * 17}号码头今晨{'卸装查修'[(k + i) % 4]}货物" for i in range(6)
    )
    + "。"
    for k in range(12)
]
FIRST, REPRINT, LATER, TWIN = ("202203052200000001", "202203062200000002", "202203092200000003", "202203062200000004")


def story(identity: str, day: str, paragraphs: list[str], tag: str, title: str) -> tuple[str, bytes]:
    body = "".join(f"<p>{p}</p>" for p in paragraphs) + f"\n\n<http://news.example/{identity}.html>\n"
    data = post(title=title, date=f"{day} 09:15:00 +0800", category="haibao", tag=f"{tag}新闻", body=body)
    return f"_posts/{day}-NW{identity}.md", data


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    files = many_posts(20) | dict(
        [
            story(FIRST, "2022-03-05", STORY, "海报", "码头今晨"),
            story(REPRINT, "2022-03-06", STORY[:11], "江报", "转载：码头"),
            story(TWIN, "2022-03-06", [*STORY, "编辑按：此文较长，值得一读。"], "湖报", "码头长文"),
            story(LATER, "2022-03-09", STORY[1:], "河报", "旧闻：码头"),
        ]
    )
    newsdata.build(write_archive(folder / "archive", files), folder / "out", num_proc=1)
    return folder / "out"


def test_members_stand_in_time_order_with_their_likeness(built: Path) -> None:
    (cluster,) = newsdata.duplicates(built)
    assert [m.article_id for m in cluster.members] == [FIRST, REPRINT, TWIN, LATER]
    assert [m.publisher for m in cluster.members] == ["海报", "江报", "湖报", "河报"]
    assert cluster.members[0].published_at == datetime.fromisoformat("2022-03-05T09:15+08:00")
    assert cluster.members[0].similarity is None
    assert all(m.similarity is not None and 0.8 < m.similarity < 1 for m in cluster.members[1:])
    assert {m.split for m in cluster.members} == {"train"}
    assert cluster.duplicate_cluster == FIRST


def test_the_cluster_of_one_article(built: Path) -> None:
    assert newsdata.duplicates(built, LATER) == newsdata.duplicates(built)
    (alone,) = newsdata.duplicates(built, "202203010000000001")
    assert [m.article_id for m in alone.members] == ["202203010000000001"]
    with pytest.raises(CallError, match="no article 'nobody'"):
        newsdata.duplicates(built, "nobody")


def test_the_command_prints_people_and_machines_their_answer(built: Path) -> None:
    shown = run_newsdata("duplicates", built)
    assert shown.returncode == 0, shown.stderr
    assert [line.split()[-1] for line in shown.stdout.splitlines()[1:]] == [FIRST, REPRINT, TWIN, LATER]
    told = json.loads(run_newsdata("duplicates", built, REPRINT, "--json").stdout)
    assert [m["title"] for m in told[0]["members"]] == ["码头今晨", "转载：码头", "码头长文", "旧闻：码头"]
    assert run_newsdata("duplicates", built, "nobody").returncode == 2


def test_a_text_free_version_has_clusters_without_likeness(tmp_path: Path) -> None:
    files = dict(
        [
            story(FIRST, "2022-03-05", STORY, "海报", "码头今晨"),
            story(REPRINT, "2022-03-06", STORY[:11], "江报", "转载：码头"),
        ]
    )
    newsdata.build(write_archive(tmp_path / "archive", files), tmp_path / "out", num_proc=1, text="none")
    (cluster,) = newsdata.duplicates(tmp_path / "out")
    assert [(m.article_id, m.title, m.similarity) for m in cluster.members] == [
        (FIRST, None, None),
        (REPRINT, None, None),
    ]


# ------------------------------------------------------------------------------------------- one article a cluster


def test_one_article_a_cluster(built: Path) -> None:
    every = newsdata.load_dataset(built, split="train")
    kept = newsdata.load_dataset(built, split="train", deduplicate=True)
    assert kept["article_id"] == [name for name in every["article_id"] if name not in (REPRINT, TWIN, LATER)]
    assert kept.features == every.features


def test_the_earliest_then_the_longest_stands_for_its_cluster_among_what_is_loaded(built: Path) -> None:
    ids = newsdata.load_dataset(built, split="train", columns=["article_id"])["article_id"]
    begin = ids.index(REPRINT)
    assert ids.index(FIRST) < begin
    kept = newsdata.load_dataset(built, split=f"train[{begin}:]", deduplicate=True)["article_id"]
    assert set(kept) & {FIRST, REPRINT, TWIN, LATER} == {TWIN}


def test_one_article_a_cluster_over_several_splits_and_while_streaming(built: Path) -> None:
    both = newsdata.load_dataset(built, split="train+test", deduplicate=True)["article_id"]
    every = newsdata.load_dataset(built, deduplicate=True)
    frame = newsdata.load_pandas(built, deduplicate=True, columns=["article_id"])
    assert frame.article_id.tolist() == [one for rows in every.values() for one in rows["article_id"]]
    assert both == [*every["train"]["article_id"], *every["test"]["article_id"]]
    streamed = newsdata.load_dataset(built, deduplicate=True, streaming=True, columns=["title"])
    assert list(streamed["train"]) == [{"title": title} for title in every["train"]["title"]]
    assert list(streamed["newer"]) == []


def test_only_articles_have_clusters(built: Path) -> None:
    with pytest.raises(CallError, match="no duplicate clusters"):
        newsdata.load_dataset(built, "posts", deduplicate=True)
    assert len(newsdata.load_dataset(built, "excluded", split="excluded", deduplicate=True)) == 0
