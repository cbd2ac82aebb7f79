"""Small versions of a dataset, made by hand: enough for what sends, fetches and checks files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from newsdata.schema import SCHEMA_VERSION
from newsdata.storage.manifest import File, Manifest, Shard, hash_file, write_manifest

__all__ = ["MONTHS", "make_version"]

MONTHS = {"train": ("2021-11", "2021-12"), "test": ("2022-01",)}


def make_version(
    out: Path,
    version: str = "1.0.0",
    *,
    months: Mapping[str, tuple[str, ...]] = MONTHS,
    rows: int = 40,
    row_group: int | None = None,
    text: str = "full",
    note: str = "",
) -> Path:
    """Write `out/version`, one shard of `rows` rows a month, `row_group` in a row group; equal arguments give equal bytes."""
    folder = out / version
    (folder / "articles").mkdir(parents=True)
    (folder / "assets").mkdir()
    shards = []
    for split, listed in months.items():
        for month in listed:
            path = f"articles/{split}-{month}-0000000.parquet"
            ids = [f"{month.replace('-', '')}{number:012d}" for number in range(rows)]
            table = pa.table({"article_id": ids, "title": [f"第{i}则：{month}的市场" for i in range(rows)]})
            pq.write_table(table, folder / path, compression="zstd", row_group_size=row_group)
            size, digest = hash_file(folder / path)
            shards.append(
                Shard(
                    path=path, config="articles", split=split, rows=rows, bytes=size, sha256=digest,
                    digest=digest, start=f"0/{month}",
                )
            )  # fmt: skip
    patterns = "".join(
        f"  - split: {split}\n    path: articles/{split}-*.parquet\n" for split in months if months[split]
    )
    header = f"---\nlicense: other\nconfigs:\n- config_name: articles\n  data_files:\n{patterns}---\n"
    (folder / "README.md").write_text(f"{header}\n# 新闻\n\n{version} {note}\n", encoding="utf-8")
    (folder / "ledger.arrow").write_bytes(b"ARROW1\0\0" + version.encode())
    (folder / "assets/months.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    named = ("README.md", "assets/months.svg", "ledger.arrow")
    hashes = {path: hash_file(folder / path) for path in named}
    files = tuple(File(path=path, bytes=size, sha256=digest) for path, (size, digest) in hashes.items())
    manifest = Manifest(
        dataset_version=version,
        schema_version=SCHEMA_VERSION,
        configuration={
            "text": text, "timezone": "Asia/Shanghai", "drafts": False, "gap_days": 0,
            "validation_from": None, "test_from": None, "test_until": None,
        },
        source={},
        tools={},
        accounting=dict.fromkeys(("files_seen", "posts", "rejects", "ignored", "articles", "excluded"), 0),
        columns={},
        shards=tuple(shards),
        files=files,
    )  # fmt: skip
    write_manifest(manifest, folder)
    return folder
