"""Every count of the page equals a naive scan, and exports hold exactly the rows of the filter."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from newsdata.explorer.parameters import Query
from newsdata.explorer.selection import facet, select
from newsdata.explorer.view import View

from .naive import Naive


@pytest.fixture(scope="module")
def naive(archive: Path) -> Naive:
    return Naive(archive / "1.0.0")


def words(random_: random.Random, row: dict[str, Any]) -> str:
    """One to six characters of an article, or words of kinds that trip up a search."""
    odd = [
        "%",
        "_",
        ".",
        ".*",
        "(",
        "[",
        "\\",
        "?",
        "。",
        "，",
        "A",
        "Nuve",
        "e",
        "😀",
        "漲",
        "涨",
        "'",
        '"',
        " ",
        "\n",
        "万",
        "$",
    ]
    if random_.random() < 0.3:
        return random_.choice(odd)
    text = row[random_.choice(["title", "digest", "text"])] or row["title"] or "无"
    start = random_.randrange(len(text))
    return str(text[start : start + random_.randint(1, 6)])


def asked(random_: random.Random, naive: Naive) -> dict[str, Any]:
    """Random parameters, most of them with values that some article has."""
    row = random_.choice(naive.rows)
    day = str((row["published_at"] or naive.rows[0]["published_at"]).date())
    mentions = [mention["code"] for mention in row["mentions"] if mention["code"]]
    possible = {
        "q": words(random_, row),
        "from": day,
        "to": max(day, "2022-05-01"),
        "split": [row["split"], "newer"] if random_.random() < 0.7 else ["test"],
        "publisher": row["media"] or row["source"] or "(none)",
        "code": mentions[:2] or ["003745"],
        "kind": random_.choice(["article", "flash"]),
        "issue": row["issues"][:1] or ["date-without-zone"],
        "cluster": random_.choice(["any", "copies", "single"]),
    }
    chosen = random_.sample(sorted(possible), random_.randint(1, 3))
    found = {name: possible[name] for name in chosen}
    if random_.random() < 0.5:
        found["q"] = possible["q"]
    if "q" in found:
        found["in"] = random_.choice(["all", "title", "lead", "text"])
    return found


@pytest.mark.slow
def test_counts_are_those_of_a_naive_scan(page: TestClient, naive: Naive) -> None:
    random_ = random.Random(18)
    totals = []
    for _ in range(200):
        parameters = asked(random_, naive)
        rows = naive.wanted(parameters)
        found = page.get("/articles.json", params=parameters).json()
        assert found["total"] == len(rows), parameters
        newest = sorted(
            rows, key=lambda row: (row["published_at"].timestamp() if row["published_at"] else -1, row["article_id"])
        )
        assert [row["article_id"] for row in found["rows"]] == [row["article_id"] for row in newest[::-1][:50]], (
            parameters
        )
        totals.append(len(rows))
    assert sum(total > 0 for total in totals) > 100


@pytest.mark.slow
def test_facets_leave_their_own_filter_out(page: TestClient, naive: Naive) -> None:
    random_ = random.Random(7)
    for _ in range(25):
        parameters = asked(random_, naive)
        facets = page.get("/articles.json", params=parameters).json()["facets"]
        of = {name: naive.wanted({key: value for key, value in parameters.items() if key != name}) for name in facets}
        expected = {
            "split": Counter(row["split"] for row in of["split"]),
            "publisher": Counter(row["media"] or row["source"] or "(none)" for row in of["publisher"]),
            "code": Counter(code for row in of["code"] for code in {m["code"] for m in row["mentions"]} - {None}),
            "kind": Counter("flash" if row["is_flash"] else "article" for row in of["kind"]),
            "issue": Counter(issue for row in of["issue"] for issue in set(row["issues"])),
            "cluster": Counter(
                "copies" if naive.sizes[row["duplicate_cluster"]] > 1 else "single" for row in of["cluster"]
            ),
        }
        for name, counts in expected.items():
            assert {value: n for value, n in facets[name].items() if n} == dict(counts), (name, parameters)


def test_days_are_local_and_by_split(page: TestClient, naive: Naive) -> None:
    found = page.get("/articles.json", params={"kind": "flash"}).json()["days"]
    expected = Counter(
        (str(row["published_at"].date()), row["split"])
        for row in naive.wanted({"kind": "flash"})
        if row["published_at"]
    )
    assert {(day, split): n for day, splits in found.items() for split, n in splits.items()} == dict(expected)


@pytest.mark.parametrize(
    "parameters", [{"q": "万"}, {"split": "test", "kind": "article"}, {"publisher": "(none)"}, {"q": "nowhere at all"}]
)
def test_exports_hold_the_filter_and_are_the_same_twice(
    page: TestClient, naive: Naive, parameters: dict[str, str]
) -> None:
    rows = naive.wanted(parameters)
    ids = sorted(row["article_id"] for row in rows)
    for name in ("export.csv", "export.parquet", "export.txt"):
        first, again = (page.get(f"/{name}", params={**parameters, "page": 2}) for _ in range(2))
        assert first.status_code == 200
        assert first.content == again.content
        assert first.headers["content-disposition"].startswith("attachment; filename=")
    listed = page.get("/export.txt", params=parameters).text.splitlines()
    assert sorted(listed) == ids
    table = list(csv.DictReader(io.StringIO(page.get("/export.csv", params=parameters).text, newline="")))
    by_id = {row["article_id"]: row for row in rows}
    assert sorted(row["article_id"] for row in table) == ids
    for row in table:
        assert row["text"] == (by_id[row["article_id"]]["text"] or "")
        assert row["split"] == by_id[row["article_id"]]["split"]
    parquet = pq.read_table(io.BytesIO(page.get("/export.parquet", params=parameters).content))
    assert sorted(parquet["article_id"].to_pylist()) == ids
    assert parquet["split"].to_pylist() == [by_id[name]["split"] for name in parquet["article_id"].to_pylist()]


def test_the_parquet_export_has_its_features(page: TestClient, tmp_path: Path) -> None:
    import datasets

    path = tmp_path / "some.parquet"
    path.write_bytes(page.get("/export.parquet", params={"split": "test"}).content)
    rows = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    assert isinstance(rows, datasets.Dataset)
    assert rows.features["mentions"].feature["code"].dtype == "string"
    assert set(rows["split"]) == {"test"}


def test_orders(page: TestClient, naive: Naive) -> None:
    dated = sorted(
        (row for row in naive.rows if row["published_at"]), key=lambda row: (row["published_at"], row["article_id"])
    )
    undated = [row for row in naive.rows if not row["published_at"]]
    oldest = page.get("/articles.json", params={"sort": "oldest"}).json()["rows"]
    assert [row["article_id"] for row in oldest] == [row["article_id"] for row in dated[:50]]
    last = page.get("/articles.json", params={"page": -(-len(naive.rows) // 50)}).json()
    assert len(last["rows"]) == (len(naive.rows) % 50 or 50)
    if undated:
        assert last["rows"][-1]["published_at"] is None
    longest = page.get("/articles.json", params={"sort": "longest"}).json()["rows"]
    assert [row["num_chars"] for row in longest] == sorted((row["num_chars"] for row in naive.rows), reverse=True)[:50]
    shortest = page.get("/articles.json", params={"sort": "shortest"}).json()["rows"]
    assert shortest[0]["num_chars"] == min(row["num_chars"] for row in naive.rows)


def test_no_article_is_on_two_pages(page: TestClient, naive: Naive) -> None:
    pages = page.get("/articles.json").json()["pages"]
    found = [
        row["article_id"]
        for n in range(1, pages + 1)
        for row in page.get("/articles.json", params={"page": n}).json()["rows"]
    ]
    assert sorted(found) == sorted(row["article_id"] for row in naive.rows)


def test_a_value_that_no_article_has_stays_visible_as_a_filter(view: View) -> None:
    selection = select(view.table, Query(publisher=("nobody",)), None)
    assert selection.total == 0
    assert ("nobody", "nobody", 0) in facet(selection, "publisher")
