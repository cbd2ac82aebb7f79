"""Archives that grow from version to version, and an article to redact: for the tests of what becomes of versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import newsdata

from ..conftest import many_posts, post, write_archive

__all__ = ["ONE", "WORDS", "grow", "holds", "ids", "redactable"]

ONE = "202203059999999999"
WORDS = "独一无二的一句话"


def grow(tmp_path: Path, versions: int = 3, **options: Any) -> tuple[Path, Path]:
    """An archive and a folder of versions, each with ten days more."""
    archive, out = tmp_path / "in", tmp_path / "out"
    for number in range(versions):
        write_archive(archive, many_posts(10, start_day=1 + 10 * number))
        newsdata.build(archive, out, num_proc=1, **options)
    return archive, out


def ids(out: Path, revision: str | None = None) -> set[str]:
    """The article ids of a version."""
    return set(newsdata.load_pandas(out, revision=revision, columns=["article_id"]).article_id)


def redactable(tmp_path: Path) -> tuple[Path, Path, dict[str, bytes]]:
    """An archive in which the article `ONE`, of two posts, has `WORDS`; a folder for versions; the archive's files."""
    body = f"\n<p>{WORDS}，只在这里出现过。</p>\n"
    files = many_posts(10) | {
        f"_posts/2022-03-05-{ONE}.md": post(title="要撤下的一则", body=body),
        f"_posts/2022-03-05-NW{ONE}.md": post(title="要撤下的一则", body=body, category="chenbao"),
    }
    return write_archive(tmp_path / "in", files), tmp_path / "out", files


def holds(folder: Path, words: str = WORDS) -> bool:
    """Whether any file of a folder holds the words: as bytes, in Parquet, in Arrow, or escaped in JSON."""
    forms = words, json.dumps(words)[1:-1]
    texts = (_text_of(file) for file in folder.rglob("*") if file.is_file())
    return any(form in text for text in texts for form in forms)


def _text_of(file: Path) -> str:
    data = file.read_bytes()
    text = data.decode("utf-8", "replace")
    if data.startswith(b"PAR1"):
        text += str(pq.ParquetFile(file).read().to_pylist())
    elif data.startswith(b"ARROW1"):
        with pa.OSFile(str(file)) as opened, pa.ipc.open_file(opened) as reader:
            text += str(reader.read_all().to_pylist())
    return text
