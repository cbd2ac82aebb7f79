from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from newsdata.errors import ManifestError
from newsdata.storage.ledger import (
    LEDGER_NAME,
    LEDGER_SCHEMA,
    REDACTIONS_NAME,
    add_tombstones,
    content_key,
    read_ledger,
    read_redactions,
    redactions_of,
    refused_contents,
    tombstones,
    write_ledger,
)
from newsdata.storage.manifest import File, Manifest, hash_file

MANIFEST = Manifest(
    dataset_version="1.0.0", schema_version="2.0", configuration={}, source={}, tools={}, accounting={}, columns={},
    shards=(),
)  # fmt: skip


def rows(*ids: str, **fields: Any) -> pa.Table:
    return pa.Table.from_pylist(
        [{"article_id": one, "split": "train", "first_version": "1.0.0"} | fields for one in ids], schema=LEDGER_SCHEMA
    )


def listed(folder: Path) -> Manifest:
    """A manifest that lists the ledger of `folder` as it is now."""
    size, sha256 = hash_file(folder / LEDGER_NAME)
    return dataclasses.replace(MANIFEST, files=(File(path=LEDGER_NAME, bytes=size, sha256=sha256),))


def test_it_reads_back_as_it_was_written(tmp_path: Path) -> None:
    ledger = pa.concat_tables([rows("1", "2"), rows("3", published_at=None, redacted_reason="一项请求")])
    write_ledger(ledger, tmp_path)
    assert read_ledger(tmp_path, listed(tmp_path)).equals(ledger)


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    ids = [str(number) for number in range(1000)]
    written = []
    for ledger in (rows(*ids), pa.concat_tables([rows(*ids[:7]), rows(*ids[7:])]), rows(*ids).slice(0)):
        write_ledger(ledger, tmp_path)
        written.append((tmp_path / LEDGER_NAME).read_bytes())
    assert written[0] == written[1] == written[2]


def test_a_damaged_ledger_is_not_opened(tmp_path: Path) -> None:
    write_ledger(rows("1"), tmp_path)
    manifest = listed(tmp_path)
    file = tmp_path / LEDGER_NAME
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"", bytes(len(whole))):
        file.write_bytes(damaged)
        with pytest.raises(ManifestError, match=r"ledger\.arrow: is missing or damaged"):
            read_ledger(tmp_path, manifest)
    file.unlink()
    with pytest.raises(ManifestError, match="is missing or damaged"):
        read_ledger(tmp_path, manifest)


@pytest.mark.parametrize(
    "table", [rows("1").drop_columns("split"), rows("1").set_column(5, "published_at", pa.array(["no number"]))]
)
def test_a_ledger_with_other_columns_is_an_error(tmp_path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(tmp_path / LEDGER_NAME), "wb") as opened, pa.ipc.new_file(opened, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(ManifestError, match="the ledger cannot be read"):
        read_ledger(tmp_path, listed(tmp_path))


def test_a_ledger_that_is_no_arrow_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / LEDGER_NAME).write_bytes(b"ARROW1\0\0")
    with pytest.raises(ManifestError, match="the ledger cannot be read"):
        read_ledger(tmp_path, listed(tmp_path))


def test_tombstones_are_added_and_kept() -> None:
    parts = [rows("1", "2"), rows("3", redacted_reason="earlier")]
    redacted = {"2": "a request", "3": "later", "9": "a request", content_key("ab"): "a request"}
    found = pa.concat_tables(add_tombstones(parts, redacted, "1.1.0"))
    assert found.schema == LEDGER_SCHEMA
    assert found["article_id"].to_pylist() == ["1", "2", "3", "9", "sha256:ab"]
    assert found["first_version"].to_pylist() == ["1.0.0"] * 3 + ["1.1.0"] * 2
    assert found["split"].to_pylist() == ["train"] * 3 + [None] * 2
    assert redactions_of(found) == {"2": "a request", "3": "earlier", "9": "a request", "sha256:ab": "a request"}
    assert tombstones(found) == {"2": "a request", "3": "earlier", "9": "a request"}
    assert refused_contents(redactions_of(found)) == {"ab"}
    assert [*add_tombstones(parts, {}, "1.2.0")] == parts


def test_redactions(tmp_path: Path) -> None:
    assert read_redactions(tmp_path) == {}
    file = tmp_path / REDACTIONS_NAME
    file.write_text('{"7": "一项请求"}', "utf-8")
    assert read_redactions(tmp_path) == {"7": "一项请求"}
    for damaged in ("", "[", "[]", '{"7": 5}', "[" * 100_000, "\udcff"):
        file.write_bytes(damaged.encode("utf-8", "surrogatepass"))
        with pytest.raises(
            ManifestError, match=r"redactions\.json: the redactions cannot be read: .*; repair the file"
        ):
            read_redactions(tmp_path)
