"""Where the words of articles lie in the spool, and how they are taken from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from newsdata.building.stages import words as words_module
from newsdata.building.stages.words import Places, open_spool, spool_files_of, spool_places, texts_of
from newsdata.errors import MachineError
from newsdata.graph.task import StoredFile

TEXTS = [["一", "", "三"], ["四"], [], ["", "六"]]
"""The texts of the posts of four spool files."""


@pytest.fixture
def spool(tmp_path: Path) -> list[StoredFile]:
    files = []
    for number, texts in enumerate(TEXTS):
        path = tmp_path / str(number)
        rows = {"text": texts, "digest": [f"d{t}" if t else None for t in texts], "title": [f"题{number}"] * len(texts)}
        table = pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        files.append(StoredFile.of(path))
    return files


def test_posts_are_found_by_their_number(spool: list[StoredFile]) -> None:
    rows_before = np.cumsum([0, *map(len, TEXTS)])
    file, row = spool_places(np.arange(6), rows_before)
    assert [TEXTS[f][r] for f, r in zip(file, row, strict=True)] == [text for texts in TEXTS for text in texts]
    assert set(spool_files_of(spool, [(file[3:4], row[3:4]), (file[5:], row[5:])])) == {1, 3}
    assert spool_files_of(spool, []) == {}


@pytest.mark.parametrize("at_once", [500, 2, 1])
def test_an_empty_text_gives_way_to_digest_and_title(
    at_once: int, spool: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words_module, "SPOOL_BATCH", at_once)
    rows_before = np.cumsum([0, *map(len, TEXTS)])
    text = np.array([0, 1, 2, 4, 5, 1])
    digest = np.array([0, 3, 2, 4, 5, 1])  # the digest of the second article comes from another post
    places = Places(roles={
        "text": spool_places(text, rows_before),
        "digest": spool_places(digest, rows_before),
        "title": spool_places(text, rows_before),
    })  # fmt: skip
    opened = open_spool(spool_files_of(spool, [*places.roles.values()]))
    batches = list(texts_of(opened, places))
    assert [len(batch) for batch in batches] == [min(at_once, 6 - at) for at in range(0, 6, at_once)]
    assert [text for batch in batches for text in batch] == ["一", "d四", "三", "题3", "六", "题0"]
    some = places.some(np.array([1, 3]))
    assert len(places) == 6 and len(some) == 2
    assert [text for batch in texts_of(opened, some) for text in batch] == ["d四", "题3"]


def test_a_spool_file_is_compared_before_it_is_opened(spool: list[StoredFile]) -> None:
    spool[1].path.write_bytes(spool[1].path.read_bytes()[:-1])
    open_spool({0: spool[0]})
    with pytest.raises(MachineError, match="changed or removed"):
        open_spool(dict(enumerate(spool)))
