"""Who copied whom, and when."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError

from ..conftest import run_newsdata, write_archive
from .copies import FIRST, LATER, REPRINT, STORY, TWIN, story


def test_members_are_in_time_order_with_their_similarity(with_copies: Path) -> None:
    (cluster,) = newsdata.duplicates(with_copies)
    assert [m.article_id for m in cluster.members] == [FIRST, REPRINT, TWIN, LATER]
    assert [m.publisher for m in cluster.members] == ["海报", "江报", "湖报", "河报"]
    assert cluster.members[0].published_at == datetime.fromisoformat("2022-03-05T09:15+08:00")
    assert cluster.members[0].similarity is None
    assert all(m.similarity is not None and 0.8 < m.similarity < 1 for m in cluster.members[1:])
    assert {m.split for m in cluster.members} == {"train"}
    assert cluster.duplicate_cluster == FIRST


def test_the_cluster_of_one_article(with_copies: Path) -> None:
    assert newsdata.duplicates(with_copies, LATER) == newsdata.duplicates(with_copies)
    (alone,) = newsdata.duplicates(with_copies, "202203010000000001")
    assert [m.article_id for m in alone.members] == ["202203010000000001"]
    with pytest.raises(CallError, match="no article 'nobody'"):
        newsdata.duplicates(with_copies, "nobody")


@pytest.mark.slow
def test_the_command_prints_for_people_and_for_machines(with_copies: Path) -> None:
    shown = run_newsdata("duplicates", with_copies)
    assert shown.returncode == 0, shown.stderr
    assert [line.split()[-1] for line in shown.stdout.splitlines()[1:]] == [FIRST, REPRINT, TWIN, LATER]
    told = json.loads(run_newsdata("duplicates", with_copies, REPRINT, "--json").stdout)
    assert [m["title"] for m in told[0]["members"]] == ["码头今晨", "转载：码头", "码头长文", "旧闻：码头"]
    assert run_newsdata("duplicates", with_copies, "nobody").returncode == 2


def test_a_text_free_version_has_clusters_without_similarity(tmp_path: Path) -> None:
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
