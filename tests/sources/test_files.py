"""The records of a source: files as columns, and the order of rejects."""

from __future__ import annotations

import pickle

from newsdata.schema import Reject
from newsdata.sources.files import Files, SourceFile, as_reject, in_order, unreadable
from newsdata.sources.folder_walk import Fault

RECORDS = [SourceFile("a.md", 5, "git:1"), SourceFile("新.md", 7, "git:2", 5), SourceFile("z", 0, "git:3", 12)]


def test_columns_give_back_the_records() -> None:
    files = Files.of(RECORDS)
    assert list(files) == RECORDS and len(files) == 3
    assert [files[0], files[-1]] == [RECORDS[0], RECORDS[2]]
    assert list(files[1:]) == RECORDS[1:] and list(files[::-2]) == RECORDS[::-2]
    assert list(files.take([2, 0])) == [RECORDS[2], RECORDS[0]]
    assert list(pickle.loads(pickle.dumps(files))) == RECORDS


def test_parts_are_joined_in_order() -> None:
    parts = [Files.of(RECORDS[:1]), Files.of(()), Files.of(RECORDS[1:])]
    assert list(Files.joined(parts)) == RECORDS
    assert list(Files.joined(())) == list(Files.of(())) == []


def test_a_reject_shows_a_path_that_cannot_be_used() -> None:
    fault = Fault("path-not-utf-8", "the name is not UTF-8", 3)
    assert as_reject(b"_posts/\xff.md", fault) == Reject(
        path="_posts/\\xff.md", sha256=None, size=3, rule="path-not-utf-8", reason="the name is not UTF-8"
    )
    assert len(as_reject(b"a" * 9000, fault).path) == 4096
    assert unreadable(RECORDS[1], "gone").path == "新.md"


def test_rejects_are_sorted_by_path() -> None:
    rejects = [unreadable(file, reason) for file in reversed(RECORDS) for reason in ("b", "a")]
    assert [(reject.path, reject.reason) for reject in in_order(rejects)] == [
        (file.path, reason) for file in sorted(RECORDS) for reason in ("a", "b")
    ]
