"""A commit of a git repository, read from the object store: no checkout, no hook, no filter, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import SourceError
from ..schema import Reject
from .archives import as_reject
from .folders import Fault, check_path, size_fault

__all__ = [
    "Blob",
    "Change",
    "blob_sizes",
    "git_folder",
    "list_changes",
    "list_tree",
    "read_blobs",
    "resolve",
    "split_revision",
]


class Blob(NamedTuple):
    """A regular file of a tree: its path, its size in bytes, the id of its blob."""

    path: str
    size: int
    id: str


class Change(NamedTuple):
    """What a commit did to a file: the commit, its time in seconds since 1970, the path, and the id of the new blob.

    `blob` is None where there is no regular file any more.
    """

    commit: str
    time: int
    path: str
    blob: str | None


def git_folder(folder: str) -> str | None:
    """`folder` if it is a bare repository, else None.

    >>> git_folder("no/such/folder") is None
    True
    """
    path = Path(folder)
    try:
        bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    except (OSError, ValueError):
        return None
    return folder if bare else None


def split_revision(text: str) -> tuple[str, str, str] | None:
    """Split `repo@REV:sub/folder` into git folder, revision and folder; None where no repository is named.

    Paths and revisions may both hold an `@`: the first one with a repository before it counts.
    """
    for place, letter in enumerate(text):
        if letter != "@" or place == 0:
            continue
        inside = f"{text[:place]}/.git"
        found = inside if os.path.lexists(inside) else git_folder(text[:place])
        if found:
            revision, _, below = text[place + 1 :].partition(":")
            return found, revision, below.strip("/")
    return None


def resolve(root: str, revision: str, below: str) -> tuple[str, str]:
    """The full ids of a commit and of the tree of its folder `below` ("" for the whole).

    Raises:
        SourceError: there is no such revision or folder, or git cannot read the repository.
    """
    if not revision or revision.startswith("-"):
        raise SourceError(f"{revision!r} is no revision", path=root, hint="give repo@REVISION")
    try:
        commit = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    except SourceError as error:
        if "single revision" not in error.reason:
            raise
        hint = "name a branch, a tag or a commit that is there; an empty repository has none"
        raise SourceError(f"there is no revision {revision!r}", path=root, hint=hint) from None
    tree = _git(root, "rev-parse", "--verify", f"{commit}:{below}").decode().strip()
    if _git(root, "cat-file", "-t", tree) != b"tree\n":
        raise SourceError(f"{below!r} is no folder at {revision}", path=root)
    return commit, tree


def list_tree(root: str, tree: str, only: str | None = None) -> tuple[list[Blob], list[Reject], list[str]]:
    """The files below a tree (of the path `only`, if given), what is no file or cannot be read, and notes.

    Raises:
        SourceError: git cannot read a tree.
    """
    wanted = [] if only is None else ["--", only]
    listed = _git(root, "ls-tree", "-r", "-z", "-l", "--full-tree", tree, *wanted)
    blobs: dict[str, Blob] = {}
    rejects: list[Reject] = []
    submodules = 0
    for line in listed.split(b"\0")[:-1]:
        about, _, raw = line.partition(b"\t")
        mode, _, blob, size = about.decode().split()
        path = check_path(raw)
        if mode == "160000":
            submodules += 1
        elif b".git" in raw.split(b"/"):
            continue
        elif isinstance(path, Fault):
            rejects.append(as_reject(raw, path))
        elif not mode.startswith("100"):
            rejects.append(as_reject(raw, Fault("not-a-file", "a link; links are not followed")))
        elif not size.isdigit():
            rejects.append(as_reject(raw, Fault("unreadable", f"the repository has no object {blob}")))
        elif fault := size_fault(int(size)):
            rejects.append(as_reject(raw, fault))
        elif path in blobs:
            rejects.append(as_reject(raw, Fault("path-taken", "the tree names this file twice", int(size))))
        else:
            blobs[path] = Blob(path, int(size), blob)
    return list(blobs.values()), rejects, [f"submodules left out: {submodules}"] if submodules else []


def list_changes(root: str, commit: str, below: str) -> Iterator[Change]:
    """Every change of a file below the folder `below`, from the first commit to `commit`.

    The line of first parents is followed: a merge counts as one change, at the time of the merge. Renames are a
    file that goes and one that comes.

    Raises:
        SourceError: git cannot read the history, or has only the end of it.
    """
    if _git(root, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise SourceError(
            "it is a shallow clone, which lacks the earlier history",
            path=root,
            hint="fetch the rest with `git fetch --unshallow`, or give --no-history",
        )
    listed = _git(root, "rev-list", "--first-parent", "--reverse", "--parents", "--timestamp", commit)
    times: dict[str, int] = {}
    with tempfile.TemporaryFile() as pairs, tempfile.TemporaryFile() as said:
        for line in listed.decode().splitlines():
            time, own, *parents = line.split()
            times[own] = int(time)
            pairs.write(" ".join([own, *parents[:1]]).encode() + b"\n")
        pairs.seek(0)
        options = "--stdin", "--root", "-r", "--raw", "-z", "--no-renames", "--no-abbrev"
        process = subprocess.Popen(  # noqa: S603  (a list, no shell)
            _command(root, "diff-tree", *options, *(["--", f"{below}/"] if below else [])),
            env=_environment(),
            stdin=pairs,
            stdout=subprocess.PIPE,
            stderr=said,
            bufsize=2**18,
        )
        assert process.stdout
        try:
            yield from _read_changes(_split_nul(process.stdout), times, f"{below}/".encode() if below else b"")
            if process.wait():
                said.seek(0)
                reason = said.read().decode("utf-8", "backslashreplace").strip().removeprefix("fatal: ")
                raise SourceError(f"git: {reason}", path=root, hint="check the repository with `git fsck`")
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def _read_changes(words: Iterator[bytes], times: dict[str, int], prefix: bytes) -> Iterator[Change]:
    commit = ""
    for word in words:
        if not word.startswith(b":"):
            commit = word.decode().strip()
            continue
        raw = next(words, b"")
        _, mode, _, blob, _ = word.decode().split()
        if not raw.startswith(prefix) or b".git" in raw.split(b"/"):
            continue
        path = check_path(raw[len(prefix) :])
        if not isinstance(path, Fault):
            yield Change(commit, times[commit], path, blob if mode.startswith("100") else None)


def _split_nul(stream: IO[bytes]) -> Iterator[bytes]:
    left = b""
    while chunk := stream.read(2**18):
        *whole, left = (left + chunk).split(b"\0")
        yield from whole


def blob_sizes(root: str, ids: Sequence[str]) -> dict[str, int]:
    """The size in bytes of each blob that the repository has.

    Raises:
        SourceError: git cannot read the repository.
    """
    wanted = "".join(f"{one}\n" for one in ids).encode()
    listed = _git(root, "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer", given=wanted)
    lines = (line.split() for line in listed.decode().splitlines())
    return {line[0]: int(line[2]) for line in lines if line[1:2] == ["blob"]}


def read_blobs(root: str, blobs: Sequence[tuple[str, int]]) -> Iterator[bytes | None]:
    """The bytes of each `(id, size)`, None for one that git cannot read or that has another size."""
    done = 0
    while done < len(blobs):
        # git ends at an object that is damaged; the next one starts after it.
        for data in _read_until_damage(root, blobs[done:]):
            done += 1
            yield data


def _read_until_damage(root: str, blobs: Sequence[tuple[str, int]]) -> Iterator[bytes | None]:
    with tempfile.TemporaryFile() as wanted:
        wanted.write(b"".join(blob.encode() + b"\n" for blob, _ in blobs))
        wanted.seek(0)
        process = subprocess.Popen(  # noqa: S603  (a list, no shell)
            _command(root, "cat-file", "--batch", "--buffer"),
            env=_environment(),
            stdin=wanted,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=2**18,
        )
    output = process.stdout
    assert output
    try:
        for _, size in blobs:
            header = output.readline().split()
            if header[1:] == [b"missing"]:
                yield None
                continue
            data = output.read(size + 1)[:-1] if header[1:] == [b"blob", str(size).encode()] else b""
            if len(header) != 3 or len(data) != size:
                yield None
                return
            yield data
    finally:
        output.close()
        process.kill()
        process.wait()


def _git(root: str, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(  # noqa: S603  (a list, no shell)
        _command(root, *arguments),
        env=_environment(),
        input=given,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").strip().removeprefix("fatal: ")
        hint = "check the repository and the revision"
        if "promisor remote" in said:
            hint = "it is a partial clone; clone it whole, or fetch the rest with `git fetch --refetch`"
        raise SourceError(f"git: {said}", path=root, hint=hint)
    return done.stdout


def _command(root: str, *arguments: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise SourceError("git is not installed", path=root, hint="install it, or give a folder or an archive")
    # Naming the git folder makes git look for none, and not ask who owns it.
    general = "--no-pager", "--literal-pathspecs", f"--git-dir={root}", "-c", "core.fsmonitor=false"
    return [program, *general, *arguments]


def _environment() -> dict[str, str]:
    """No setting of the caller or the repository may start a program, ask a remote or swap an object."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
