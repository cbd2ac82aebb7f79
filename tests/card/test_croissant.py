"""croissant.json: no error, and rows read back through it are the rows of the Parquet files."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.card.croissant import render_croissant
from newsdata.schema import table_schema
from newsdata.storage.manifest import Manifest, Shard, hash_file
from newsdata.storage.shards import shard_schema, write_shard

mlcroissant = pytest.importorskip("mlcroissant")

ZONE = "Asia/Shanghai"
README = """\
---
license: cc-by-4.0
language: zh
tags: [news]
url: https://example.org/news
doi: 10.5281/zenodo.1234567
date_published: 2022-06-30
authors:
- name: Hopper, Grace
  orcid: 0000-0002-1825-0097
  affiliation: Example Institute
- Example & Sons
---
# News

```bibtex
@misc{news}
```
"""

# mlcroissant uses what its own dependencies call deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]


def _article(number: int, **more: object) -> dict[str, Any]:
    mentions = [
        {
            "start": 0,
            "end": 2,
            "text": "甲厂",
            "kind": "security",
            "market": 1,
            "code": "000333",
            "exchange": "XSHG",
        },
        {"start": 4, "end": 6, "text": "公布", "kind": "glossary", "url": "https://example.org/公布"},
    ]
    row = {
        "article_id": f"{number:018}",
        "title": f"甲厂公布第{number}号",
        "digest": None if number % 3 else "摘要",
        "text": "甲厂今日公布。\n其余不变。",
        "published_at": datetime(2021, 12, number, 16, 30, tzinfo=UTC),
        "mentions": mentions[: number % 3],
        "tags": ["甲", "乙"][: number % 3],
        "headings": [],
        "num_chars": 12,
        "is_flash": number % 2 == 0,
    }
    return row | more


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("version")
    tables = {
        ("articles", "train", "2021-12"): [_article(number) for number in range(1, 6)],
        ("articles", "train", "undated"): [_article(7, published_at=None)],
        ("articles", "test", "2022-01"): [_article(8), _article(9, title="")],
        ("posts", "posts", "2021-12"): [{"path": "_posts/a.md", "categories": ["甲"], "published": True}],
        ("rejects", "rejects", "undated"): [{"path": "_posts/b.md", "size": 1 << 40, "rule": "too-large"}],
        ("excluded", "excluded", "undated"): [_article(6, excluded_reason="no-date")],
    }
    shards = []
    for (config, split, month), rows in tables.items():
        path = folder / config / f"{split}-{month}-0000000.parquet"
        path.parent.mkdir(exist_ok=True)
        schema = shard_schema(config, ZONE)
        written = write_shard(path, [pa.Table.from_pylist(rows, schema=schema)], config, schema)
        size, sha256 = hash_file(path)
        name = f"{config}/{path.name}"
        shards.append(
            Shard(
                path=name,
                config=config,
                split=split,
                rows=len(rows),
                bytes=size,
                sha256=sha256,
                digest=written.digest,
                start=f"0/{month}",
            )
        )
    made = Manifest(
        dataset_version="1.0.0",
        schema_version="2.0",
        configuration={"timezone": ZONE},
        source={},
        tools={},
        accounting={},
        columns={},
        shards=tuple(shards),
    )
    text = render_croissant(made, README, name="org/news")
    (folder / "croissant.json").write_text(text, encoding="utf-8")
    return folder, made


def _open(folder: Path) -> Any:
    return mlcroissant.Dataset(str(folder / "croissant.json"))


def _plain(value: object, prefix: str) -> Any:
    """A value as mlcroissant gives it, with text for bytes and column names for ids."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {key.removeprefix(prefix): _plain(item, f"{key}/") for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, prefix) for item in value]
    return value.item() if hasattr(value, "item") else value


@pytest.mark.slow
def test_validates_without_errors(manifest: tuple[Path, Manifest], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        issues = _open(manifest[0]).metadata.issues
    assert not issues.errors
    assert not issues.warnings
    assert "context" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("config", ["articles", "posts", "rejects", "excluded"])
def test_reads_back_the_rows_of_the_files(manifest: tuple[Path, Manifest], config: str) -> None:
    folder, made = manifest
    wanted = [
        {"split": shard.split, **row}
        for shard in sorted(made.shards, key=lambda shard: shard.path)
        if shard.config == config
        for row in pq.read_table(folder / shard.path).to_pylist()
    ]
    lists = {f.name: f.type.value_type for f in table_schema(config) if pa.types.is_list(f.type)}
    structs = {name: kind.names for name, kind in lists.items() if pa.types.is_struct(kind)}
    for row in wanted:  # mlcroissant reads a null list of structs as one struct of nulls
        for name, parts in structs.items():
            if row[name] is None:
                row[name] = [dict.fromkeys(parts)]
    read = [_plain(record, f"{config}/") for record in _open(folder).records(config)]
    assert read == wanted
    assert len(read) == sum(shard.rows for shard in made.shards if shard.config == config)


@pytest.mark.slow
def test_a_split_alone_can_be_read(manifest: tuple[Path, Manifest]) -> None:
    records = _open(manifest[0]).records("articles", filters={"articles/split": "test"})
    assert [record["articles/split"] for record in records] == [b"test", b"test"]
    names = [record["articles-splits/name"] for record in _open(manifest[0]).records("articles-splits")]
    assert names == ["train", "test"]


def test_every_file_has_its_hash(manifest: tuple[Path, Manifest]) -> None:
    folder, made = manifest
    document = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    files = {f["contentUrl"]: f["sha256"] for f in document["distribution"] if f["@type"] == "cr:FileObject"}
    assert files == {shard.path: hash_file(folder / shard.path)[1] for shard in made.shards}
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.1"


def test_the_readme_gives_licence_language_tags_and_citation(manifest: tuple[Path, Manifest]) -> None:
    folder, made = manifest
    document = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    found = {key: document[key] for key in ("name", "url", "license", "inLanguage", "keywords", "citeAs")}
    assert found == {
        "name": "org/news",
        "url": "https://example.org/news",
        "license": "CC-BY-4.0",
        "inLanguage": ["zh"],
        "keywords": ["news"],
        "citeAs": "@misc{news}",
    }
    bare = json.loads(render_croissant(made, "---\nlicense: mit\n---\n# News\n", name="news"))
    assert bare["license"] == "MIT" and bare["description"].startswith("Version 1.0.0 holds 8 articles")
    assert not {"url", "creator", "datePublished", "identifier", "inLanguage", "keywords", "citeAs"} & bare.keys()
    link = "---\nlicense: other\nlicense_name: none-stated\nlicense_link: https://github.com/a/b\n---\n"
    assert "license" not in json.loads(render_croissant(made, link, name="news")), "no repository's address"


def test_the_readme_gives_authors_and_day(manifest: tuple[Path, Manifest]) -> None:
    document = json.loads((manifest[0] / "croissant.json").read_text(encoding="utf-8"))
    assert document["creator"] == [
        {
            "@type": "sc:Person",
            "name": "Grace Hopper",
            "givenName": "Grace",
            "familyName": "Hopper",
            "sameAs": "https://orcid.org/0000-0002-1825-0097",
            "affiliation": {"@type": "sc:Organization", "name": "Example Institute"},
        },
        {"@type": "sc:Organization", "name": "Example & Sons"},
    ]
    assert document["datePublished"] == "2022-06-30"
    assert document["identifier"] == "https://doi.org/10.5281/zenodo.1234567"
