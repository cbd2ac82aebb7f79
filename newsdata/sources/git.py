"""A commit of a git repository as a source, read from the object store: no checkout, no hook, no filter, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import SourceError
from ..schema import Reject
from .files import Files, Listing, Source, SourceFile, as_reject, in_order, unreadable
from .folder_walk import Fault, check_path, size_fault

__all__ = [
    "Change",
    "blob_sizes",
    "git_folder",
    "list_changes",
    "list_files",
    "open_revision",
    "read_blobs",
    "read_files",
    "split_revision",
]


class Change(NamedTuple):
    """What a commit did to a file.

    Attributes:
        commit: full id of the commit.
        time: when it was committed, in seconds since 1970.
        path: the file, relative to the site's root.
        blob: id of the new content; None if there is no regular file any more.
    """

    commit: str
    time: int
    path: str
    blob: str | None


def git_folder(folder: str) -> str | None:
    """Return `folder` if it is a bare repository, else None.

    >>> git_folder("no/such/folder") is None
    True
    """
    path = Path(folder)
    try:
        bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    except (OSError, ValueError):
        return None
    return folder if bare else None


def split_revision(spec: str) -> tuple[str, str, str] | None:
    """Split `repo@REV:sub/folder` into the git folder, the revision and the sub-folder ("" for none).

    Paths and revisions may both hold an `@`, so the first `@` with a repository before it counts. None if there is
    no repository before any `@`.
    """
    for place, letter in enumerate(spec):
        if letter != "@" or place == 0:
            continue
        inside = f"{spec[:place]}/.git"
        found = inside if os.path.lexists(inside) else git_folder(spec[:place])
        if found:
            revision, _, below = spec[place + 1 :].partition(":")
            return found, revision, below.strip("/")
    return None


def open_revision(folder: str, revision: str, below: str) -> Source:
    """Open a git folder at a revision.

    Args:
        folder: the git folder: a bare repository, or the `.git` of a work tree.
        revision: anything `git rev-parse` takes: a branch, a tag, a commit, `HEAD~3` ….
        below: the folder of the repository that is the site's root, "" for its own.

    Raises:
        SourceError: there is no such revision or folder, or git cannot read the repository.
    """
    root = os.path.realpath(folder)
    if not revision or revision.startswith("-"):
        raise SourceError(f"{revision!r} cannot be a revision", path=root, hint="give repo@REVISION")
    try:
        commit = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    except SourceError as error:
        if "single revision" not in error.reason:
            raise
        hint = "give a branch, a tag or a commit of this repository; an empty repository has none"
        raise SourceError(f"there is no revision {revision!r}", path=root, hint=hint) from None
    tree = _git(root, "rev-parse", "--verify", f"{commit}:{below}").decode().strip()
    if _git(root, "cat-file", "-t", tree) != b"tree\n":
        raise SourceError(f"{below!r} is not a folder at {revision}", path=root)
    return Source(kind="git", root=root, commit=commit, tree=tree, below=below)


# ------------------------------------------------------------------------------------------ files of a commit


def list_files(source: Source, only: str | None = None) -> Listing:
    """Every file of the commit, sorted by path; with `only`, the file at that path.

    Raises:
        SourceError: git cannot read the tree.
    """
    wanted = [] if only is None else ["--", only]
    listed = _git(source.root, "ls-tree", "-r", "-z", "-l", "--full-tree", source.tree, *wanted)
    files: dict[str, SourceFile] = {}
    rejects: list[Reject] = []
    folders: set[str] = set()
    submodules = 0
    for line in listed.split(b"\0")[:-1]:
        about, _, raw = line.partition(b"\t")
        mode, _, blob, size = about.decode().split()
        path = check_path(raw)
        if b".git" in raw.split(b"/"):
            continue
        elif isinstance(path, Fault):
            rejects.append(as_reject(raw, path))
        elif not mode.startswith("100"):
            submodule = mode == "160000"
            submodules += submodule
            link = "a submodule, a link to another repository" if submodule else "a link"
            rejects.append(as_reject(raw, Fault("not-a-file", f"this is {link}, and links are not followed")))
            folders.add(path)
        elif not size.isdigit():
            rejects.append(
                as_reject(raw, Fault("unreadable", f"git does not have its content (object {blob} is missing)"))
            )
        elif fault := size_fault(int(size)):
            rejects.append(as_reject(raw, fault))
        elif path in files:
            rejects.append(as_reject(raw, Fault("path-taken", "the commit has this path twice", int(size))))
        else:
            files[path] = SourceFile(path=path, size=int(size), stamp=f"git:{blob}")
    return Listing(
        files=Files.of(sorted(files.values())),
        rejects=in_order(rejects),
        folders=frozenset(folders),
        commit=source.commit,
        notes=(f"submodules left out: {submodules}",) if submodules else (),
    )


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """Each file with its bytes, or with a reject if git cannot read it.

    Raises:
        SourceError: git is not installed.
    """
    files = tuple(files)
    blobs = [(file.stamp.removeprefix("git:"), file.size) for file in files]
    for file, data in zip(files, read_blobs(source.root, blobs), strict=True):
        yield file, unreadable(file, "git cannot read the object; see `git fsck`") if data is None else data


# ---------------------------------------------------------------------------------------------------- history


def list_changes(root: str, commit: str, below: str) -> Iterator[Change]:
    """Every change of a file below the folder `below`, from the first commit to `commit`.

    Only first parents are followed: a merge counts as one change, at the time of the merge. A rename is one file that
    is removed and one that is added.

    Args:
        root: the git folder.
        commit: full id of the last commit.
        below: a folder of the repository, "" for all of it.

    Raises:
        SourceError: git cannot read the history, or the clone is shallow.
    """
    if _git(root, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise SourceError(
            "this is a shallow clone without the earlier history",
            path=root,
            hint="fetch the rest with `git fetch --unshallow`, or give --no-history",
        )
    listed = _git(root, "rev-list", "--first-parent", "--reverse", "--parents", "--timestamp", commit)
    times: dict[str, int] = {}
    with tempfile.TemporaryFile() as pairs, tempfile.TemporaryFile() as errors:
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
            stderr=errors,
            bufsize=2**18,
        )
        assert process.stdout
        try:
            yield from _read_changes(_split_nul(process.stdout), times, f"{below}/".encode() if below else b"")
            if process.wait():
                errors.seek(0)
                raise SourceError(
                    f"git: {_git_message(errors.read())}", path=root, hint="check the repository with `git fsck`"
                )
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


# ------------------------------------------------------------------------------------------------------ blobs


def blob_sizes(root: str, ids: Sequence[str]) -> dict[str, int]:
    """The size in bytes of each of these blobs, by its id. Blobs that the repository does not have are left out.

    Raises:
        SourceError: git cannot read the repository.
    """
    wanted = "".join(f"{one}\n" for one in ids).encode()
    listed = _git(root, "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer", given=wanted)
    lines = (line.split() for line in listed.decode().splitlines())
    return {line[0]: int(line[2]) for line in lines if line[1:2] == ["blob"]}


def read_blobs(root: str, blobs: Sequence[tuple[str, int]]) -> Iterator[bytes | None]:
    """The bytes of each blob `(id, size)`; None if git cannot read it, or if it has another size."""
    done = 0
    while done < len(blobs):
        # git exits at a damaged object; another process reads those behind it.
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


# ---------------------------------------------------------------------------------------------- git processes


def _git(root: str, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(  # noqa: S603  (a list, no shell)
        _command(root, *arguments),
        env=_environment(),
        input=given,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        message = _git_message(done.stderr)
        hint = "check the repository and the revision"
        if "promisor remote" in message:
            hint = "it is a partial clone; clone it whole, or fetch the rest with `git fetch --refetch`"
        raise SourceError(f"git: {message}", path=root, hint=hint)
    return done.stdout


def _git_message(stderr: bytes) -> str:
    return stderr.decode("utf-8", "backslashreplace").strip().removeprefix("fatal: ")


def _command(root: str, *arguments: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise SourceError("git is not installed", path=root, hint="install it, or give a folder or an archive")
    # With --git-dir, git does not search for a repository and does not check who owns it.
    general = "--no-pager", "--literal-pathspecs", f"--git-dir={root}", "-c", "core.fsmonitor=false"
    return [program, *general, *arguments]


def _environment() -> dict[str, str]:
    """An environment in which no setting can run a program, ask a remote or replace objects."""
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
