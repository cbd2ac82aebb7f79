"""What a task or the build reads is damaged after it was found: an error or the right bytes, never a version with wrong data.

The next build gives the right bytes, whatever was left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.building.workspace import store_in
from newsdata.errors import MachineError

from ..conftest import many_posts, write_archive
from .edited_archive import digests
from .executors import After, Before
from .test_grouping import REPRINT, story

Damage = Callable[[Sequence[Path]], None]


def write_anew(path: Path, data: bytes) -> None:
    """Write a file that shares its bytes with no version."""
    path.unlink()
    path.write_bytes(data)


def cut(files: Sequence[Path]) -> None:
    for path in files:
        write_anew(path, path.read_bytes()[:-1] or b"\0")


def flipped(files: Sequence[Path]) -> None:
    for path in files:
        data = bytearray(path.read_bytes() or b"\0")
        data[len(data) // 2] ^= 1
        write_anew(path, bytes(data))


def swapped(files: Sequence[Path]) -> None:
    """Each file has the bytes of the next one of its kind; a single one those of something else."""
    contents = [path.read_bytes() for path in files]
    if len(set(contents)) == 1:
        (other, *_) = files[0].parent.glob("parse*.spool")
        contents = [other.read_bytes() + b"\0"]
    for path, data in zip(files, [*contents[1:], contents[0]] if len(contents) > 1 else contents, strict=False):
        write_anew(path, data)


def gone(files: Sequence[Path]) -> None:
    for path in files:
        path.unlink()


def folders(files: Sequence[Path]) -> None:
    for path in files:
        path.unlink()
        path.mkdir()


pytestmark = pytest.mark.usefixtures("several_shards")

DAMAGES = (cut, swapped, flipped, gone, folders)

READ_BY_TASKS = (
    ("range", "parse", "keys"),
    ("merge", "parse", "keys"),
    ("merge", "range", "articles"),
    ("merge", "range", "members"),
    ("sample", "parse", "spool"),
    ("count", "sample", "shingles"),
    ("frame", "sample", "shingles"),
    ("frame", "count", "often"),
    ("boilerplate", "count", "by_day"),
    ("boilerplate", "count", "often"),
    ("sign", "parse", "spool"),
    ("sign", "boilerplate", "list"),
    ("search", "sign", "signatures"),
    ("common", "sign", "signatures"),
    ("common", "search", "codes"),
    ("pairs", "sign", "signatures"),
    ("pairs", "common", "counted"),
    ("group", "pairs", "pairs"),
    ("group", "merge", "articles"),
    ("group", "merge", "posts"),
    ("borders", "merge", "articles"),
    ("borders", "group", "groups"),
    ("split", "merge", "articles"),
    ("split", "group", "groups"),
    ("write", "parse", "spool"),
    ("measure", "merge", "articles"),
    ("measure", "pairs", "pairs"),
    ("measure", "split", "placement"),
    ("measure", "sign", "signatures"),
)
"""What tasks of the first kind read: a file of tasks of the second kind."""

READ_BY_THE_BUILD = (
    ("merge", "merge", "articles"),
    ("merge", "merge", "posts"),
    ("boilerplate", "boilerplate", "list"),
    ("group", "group", "groups"),
    ("split", "split", "placement"),
)
"""What the build itself reads when the tasks have run."""

PUT_INTO_THE_VERSION = (
    ("measure", "parse", "posts-0"),
    ("measure", "write", "shard-0"),
    ("measure", "rejects", "shard"),
)

SEEDS = (
    ("parse", "parse", "posts-0"),
    ("parse", "parse", "spool"),
    ("parse", "parse", "keys"),
    ("sign", "sign", "signatures"),
    ("common", "pairs", "counts"),
)
"""What the last build left for tasks of the first kind."""


def cases(*some: tuple[str, str, str]) -> list[object]:
    """Each case with every kind of damage."""
    return [(*case, damage) for case in some for damage in DAMAGES]


def files() -> dict[str, bytes]:
    some = many_posts(8, per_day=2) | story("2022-03-01", 77) | story("2022-03-07", 78, REPRINT, "多家公司产线投产")
    return some | {"_posts/2022-03-02-202203020000000099.md": b""}


def grow(archive: Path) -> None:
    """Something changes in every shard."""
    for path, data in many_posts(8, per_day=1).items():
        (archive / path).write_bytes(data.replace("仓库".encode(), "船坞".encode()))


class Version(NamedTuple):
    """A version that nobody disturbed."""

    number: str
    digests: dict[str, str]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Version]:
    """Two versions that nobody disturbed."""
    place = tmp_path_factory.mktemp("expected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_plan, "SHARD_ROWS", 8)
        archive = write_archive(place / "in", files())
        first = newsdata.build(archive, place / "out", num_proc=1)
        grow(archive)
        second = newsdata.build(archive, place / "out", num_proc=1)
        return [Version(made.version, digests(made.path)) for made in (first, second)]


def entries(out: Path, kind: str, name: str) -> list[Path]:
    store = store_in(out)
    assert store is not None
    found = sorted(store.folder.glob(f"{kind}[0-9]*-*.{name}"))
    assert found, f"there is no {name} of {kind}"
    return found


def disturbed(archive: Path, out: Path, executor: Before, expected: Version) -> None:
    """Build with an executor that does damage: an error or the right bytes, and the right bytes afterwards."""
    try:
        made = newsdata.build(archive, out, executor=executor)
    except MachineError:
        assert not (out / expected.number).exists()
    else:
        assert digests(made.path) == expected.digests
    assert executor.done and not (out / ".newsdata" / "staging").exists()
    made = newsdata.build(archive, out, num_proc=1)
    assert made.version == expected.number and digests(made.path) == expected.digests
    assert newsdata.verify(out).faults == () and newsdata.verify(out).notes == ()


@pytest.mark.slow
@pytest.mark.parametrize(("before", "kind", "name", "damage"), cases(*READ_BY_TASKS))
def test_what_a_task_reads_is_damaged(
    before: str, kind: str, name: str, damage: Damage, tmp_path: Path, expected: list[Version]
) -> None:
    archive, out = write_archive(tmp_path / "in", files()), tmp_path / "out"
    disturbed(archive, out, Before(before, lambda: damage(entries(out, kind, name))), expected[0])


@pytest.mark.slow
@pytest.mark.parametrize(("after", "kind", "name", "damage"), cases(*READ_BY_THE_BUILD))
def test_what_the_build_reads_is_damaged(
    after: str, kind: str, name: str, damage: Damage, tmp_path: Path, expected: list[Version]
) -> None:
    archive, out = write_archive(tmp_path / "in", files()), tmp_path / "out"
    disturbed(archive, out, After(after, lambda: damage(entries(out, kind, name))), expected[0])


@pytest.mark.slow
@pytest.mark.parametrize(("before", "kind", "name", "damage"), cases(*PUT_INTO_THE_VERSION))
def test_a_finished_shard_is_damaged(
    before: str, kind: str, name: str, damage: Damage, tmp_path: Path, expected: list[Version]
) -> None:
    archive, out = write_archive(tmp_path / "in", files()), tmp_path / "out"
    disturbed(archive, out, Before(before, lambda: damage(entries(out, kind, name))), expected[0])


@pytest.mark.slow
@pytest.mark.parametrize(("before", "kind", "name", "damage"), cases(*SEEDS))
def test_a_seed_is_damaged(
    before: str, kind: str, name: str, damage: Damage, tmp_path: Path, expected: list[Version]
) -> None:
    archive, out = write_archive(tmp_path / "in", files()), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    grow(archive)
    old = entries(out, kind, name)
    disturbed(archive, out, Before(before, lambda: damage(old)), expected[1])
