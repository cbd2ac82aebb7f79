"""Versions made by hand: any rows in real shards with a manifest, as somebody else might pass them on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from newsdata.schema import SCHEMA_VERSION
from newsdata.storage.manifest import File, Manifest, Shard, hash_file, write_manifest
from newsdata.storage.shards import shard_schema, write_shard

__all__ = ["HOSTILE", "article", "forge", "hostile_version"]

HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'onmouseover='alert(1)", "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}", "\u202eevil\u202c \u2066turned", "nul\x00\x07bell\x1b[31mred", "</title></textarea></pre>",
    "http://elsewhere.example/a.png", "../../etc/passwd", "\u200b\ufeffhidden", "--><!--", "&lt;b&gt;&amp;",
)  # fmt: skip
"""Words that try to be more than words."""


def article(number: int, **values: Any) -> dict[str, Any]:
    """A row of `articles`."""
    text = values.get("text", f"第{number}则消息的正文，说的是第{number}件事。")
    row = {
        "article_id": f"{number:018d}",
        "title": f"第{number}则",
        "text": text,
        "published_at": datetime.datetime(2022, 1, 1, 8, tzinfo=datetime.UTC) + datetime.timedelta(days=number % 40),
        "feed": "emnews",
        "tags": [],
        "mentions": [],
        "text_codes": [],
        "headings": [],
        "images": [],
        "links": [],
        "num_chars": len(text or ""),
        "is_flash": True,
        "duplicate_cluster": f"{number:018d}",
        "leak_group": f"{number:018d}",
        "fold": number % 10,
        "issues": [],
        "sources": [],
    }
    return row | values


def forge(
    out: Path,
    shards: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    *,
    version: str = "1.0.0",
    readme: str = "---\npretty_name: Forged\n---\n\n# Forged\n",
    files: Mapping[str, bytes] | None = None,
    **configuration: Any,
) -> Path:
    """Write `out/version` with one shard for each (config, split) that has rows."""
    folder = out / version
    folder.mkdir(parents=True)
    listed = []
    for (config, split), rows in shards.items():
        path = f"{config}/{split}-2022-01-0000000.parquet"
        (folder / config).mkdir(exist_ok=True)
        schema = shard_schema(config, "Asia/Shanghai")
        written = write_shard(folder / path, [pa.Table.from_pylist(list(rows), schema=schema)], config, schema)
        listed.append(
            Shard(
                path=path, config=config, split=split, rows=written.rows, bytes=written.bytes, sha256=written.sha256,
                digest=written.digest, start="1641024000000/0",
            )
        )  # fmt: skip
    every = {"README.md": readme.encode("utf-8", "surrogatepass"), **(files or {})}
    for name, data in every.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    named = tuple(
        File(path=name, bytes=size, sha256=digest) for name in every for size, digest in [hash_file(folder / name)]
    )
    manifest = Manifest(
        dataset_version=version,
        schema_version=SCHEMA_VERSION,
        configuration={
            "timezone": "Asia/Shanghai", "text": "full", "drafts": False, "gap_days": 0, "validation_from": None,
            "test_from": None, "test_until": None, **configuration,
        },
        source={},
        tools={},
        accounting=dict.fromkeys(("files_seen", "posts", "rejects", "ignored", "articles", "excluded"), 0),
        columns={},
        shards=tuple(listed),
        files=named,
    )  # fmt: skip
    write_manifest(manifest, folder)
    return folder


def hostile_version(out: Path) -> Path:
    """A version in which every text of every config tries to run, to escape, to turn text around or to load something."""
    words = "".join(HOSTILE)
    rows = []
    for number, one in enumerate(HOSTILE):
        text = f"{one}前文\n{words}\n后文 {one}"
        mention = {
            "start": 0,
            "end": len(one),
            "text": one,
            "kind": one,
            "market": 0,
            "code": one,
            "exchange": one,
            "url": one,
        }
        far = {
            "start": -5,
            "end": 2**31 - 1,
            "text": one,
            "kind": "security",
            "market": 0,
            "code": one,
            "exchange": None,
            "url": None,
        }
        rows.append(
            article(
                number, article_id=f"{one}/{number}", title=one, digest=words, text=text, media=one, source=one, category=one,
                tags=[one], url=one, mentions=[mention, far], links=[{"start": len(one), "end": len(one) + 2, "url": one}],
                images=[{"url": "http://elsewhere.example/picture.png", "caption": one}], headings=[{"start": 9, "end": 3}],
                issues=[one], sources=[{"sha256": one, "feed": one}], duplicate_cluster=f"cluster {one}",
            )
        )  # fmt: skip
    copy = {**rows[0], "article_id": "a copy", "text": words}
    aside = {**rows[1], "article_id": f"aside {words}", "excluded_reason": HOSTILE[0]}
    posts = [
        {
            "path": f"_posts/{one}.md", "sha256": one, "article_id": f"{one}/{number}", "title": one, "categories": [one],
            "tags": [one], "front_matter": one, "body": words, "date_written": one, "issues": [one], "generation": one,
        }
        for number, one in enumerate(HOSTILE)
    ]  # fmt: skip
    rejects = [
        {
            "path": f"_posts/{one}/x.md",
            "sha256": one,
            "size": 1,
            "rule": one,
            "reason": words,
            "line": 1,
            "excerpt": words,
        }
        for one in HOSTILE
    ]
    readme = f'---\npretty_name: "{HOSTILE[0]}"\n---\n\n# {words}\n\n![x](http://elsewhere.example/a.png) [y](javascript:alert(1)) <script>alert(1)</script>\n\n|a|b|\n|--:|:-:|\n|1|2|\n\n![ours](assets/days.svg)\n'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
    return forge(
        out,
        {
            ("articles", "train"): rows,
            ("articles", "test"): [copy],
            ("excluded", "excluded"): [aside],
            ("posts", "posts"): posts,
            ("rejects", "rejects"): rejects,
        },
        readme=readme,
        files={"assets/days.svg": svg, "boilerplate.bin": b""},
    )
