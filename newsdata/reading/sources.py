"""Where posts come from: a folder, a git repository at a revision, a tar or zip file, an fsspec address.

One way to name them, list them and read them. No link is followed, anywhere; no name from a source is used to
write; a list is in the order of the paths, whatever the file system says.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from ..errors import MachineError, SourceError
from ..schema import Reject
from . import archives
from .archives import Fault, check_path

__all__ = ["Listing", "Source", "SourceFile", "list_files", "open_source", "read_file", "read_files"]

_GIT = "git:"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HINT = "give a folder, repo@REVISION, a tar or zip file, or an address of one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source; small, and picklable, so that every worker can have it.

    Attributes:
        kind: how it is read; "spool" is an archive or address that was unpacked.
        root: the folder, the git folder, or the spool file.
        exclude: a folder below `root` that is no part of the source, relative to it.
        commit: full id of the commit, for git.
        tree: id of the tree that is the site's root, for git.
    """

    kind: Literal["folder", "git", "spool"]
    root: str
    exclude: str | None = None
    commit: str | None = None
    tree: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One regular file of a source.

    Attributes:
        path: relative to the source, with `/`.
        size: in bytes.
        stamp: equal stamps mean equal content, as far as can be told without reading: `mtime_ns:ctime_ns:inode:size`
            in a folder, `git:<blob id>` in git, `sha256:<hash>` in an archive.
        offset: where its bytes start in the spool.
    """

    path: str
    size: int
    stamp: str
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a source holds: each file seen is one of `files` or at least one of `rejects`.

    Attributes:
        files: sorted by path, by code points.
        rejects: what is no regular file, cannot be read, or cannot be told apart; the same order.
        commit: full id of the commit, for git.
        notes: what a reader of the log should know.
    """

    files: tuple[SourceFile, ...]
    rejects: tuple[Reject, ...]
    commit: str | None = None
    notes: tuple[str, ...] = ()


def open_source(spec: str | os.PathLike[str], *, scratch: Path, exclude: Path | None = None) -> Source:
    """Open a source; an archive or address is unpacked here.

    Args:
        spec: a folder; a bare git repository (read at HEAD); `repo@REV` or `repo@REV:sub/folder`; a tar (plain, gz,
            bz2, xz, zst) or zip file; an fsspec address of such a file or of a folder. A work tree without `@REV`
            is read as a folder.
        scratch: a folder for the spool; whoever gives it deletes it when the source is no longer needed.
        exclude: a folder that is skipped if it lies inside the source: the output.

    Raises:
        SourceError: it cannot be opened, is damaged, or breaks a limit of `archives`.
        MachineError: the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = Path(name, "a.md").write_bytes(b"hello")
    ...     source = open_source(name, scratch=Path(name, "scratch"))
    ...     [(file.path, data) for file, data in read_files(source, list_files(source).files)]
    [('a.md', b'hello')]
    """
    text = os.fspath(spec)
    if text.startswith(("file://", "local://")):
        path = text.partition("://")[2]
        text = path if os.path.lexists(path) else unquote(path)
    if "://" in text and not os.path.lexists(text):
        spool = _new_spool(scratch)
        archives.unpack_url(text, spool)
        return Source(kind="spool", root=str(spool))
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError) as error:
        if found := _split_revision(text):
            return _open_git(*found)
        raise SourceError(
            f"no such source: {getattr(error, 'strerror', error)}", path=text, hint=_HINT
        ) from error
    if stat.S_ISDIR(mode):
        if git_folder := _bare_repository(text):
            return _open_git(git_folder, "HEAD", "")
        return _open_folder_source(text, exclude)
    if not stat.S_ISREG(mode):
        raise SourceError("neither a folder nor a file", path=text, hint=_HINT)
    spool = _new_spool(scratch)
    archives.unpack_file(Path(text), spool, name=text)
    return Source(kind="spool", root=str(spool))


def list_files(source: Source) -> Listing:
    """Everything in the source, in the order of the paths.

    Raises:
        SourceError: the source cannot be listed at all.
    """
    if source.kind == "folder":
        return _list_folder(source)
    if source.kind == "git":
        return _list_git(source)
    index = archives.read_index(Path(source.root))
    files = tuple(
        SourceFile(path=path, size=size, stamp=f"sha256:{sha256}", offset=offset)
        for path, size, offset, sha256 in index.files
    )
    return Listing(files=files, rejects=_in_order(index.rejects), notes=index.notes)


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """The bytes of `files`, which `list_files` gave, in the order asked for.

    A file that vanished, changed or cannot be read since it was listed comes as a `Reject`.

    Raises:
        SourceError: the source as a whole is gone.
    """
    if source.kind == "folder":
        return _read_folder(source, files)
    if source.kind == "git":
        return _read_git(source, list(files))
    return _read_spool(source, files)


def read_file(source: Source, path: str) -> bytes | None:
    """The bytes of one file, None where there is none: for `_config.yml`.

    Raises:
        SourceError: there is something at `path`, but it is a link, too large, or cannot be read.
    """
    if source.kind == "folder":
        listing = _list_one(source, path)
    elif source.kind == "git":
        listing = _list_git(source, path)
    else:
        listing = list_files(source)
    for file, data in read_files(source, [file for file in listing.files if file.path == path]):
        if isinstance(data, Reject):
            raise SourceError(data.reason, path=file.path)
        return data
    for reject in listing.rejects:
        if reject.path == path:
            raise SourceError(reject.reason, path=path, hint="replace it by a file that can be read")
    return None


def _in_order(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    return tuple(
        sorted(rejects, key=lambda reject: (reject.path, reject.rule, reject.sha256 or "", reject.reason))
    )


def _unreadable(file: SourceFile, reason: str) -> Reject:
    return Reject(path=file.path, sha256=None, size=file.size, rule="unreadable", reason=reason)


def _too_large(path: str, size: int) -> Reject:
    reason = f"{size:,} bytes; a post has at most {archives.MAX_FILE_BYTES:,}"
    return Reject(path=path, sha256=None, size=size, rule="too-large", reason=reason)


# ------------------------------------------------------------------------------------------------ folder


def _open_folder_source(text: str, exclude: Path | None) -> Source:
    root = os.path.realpath(text)
    inside = None
    if exclude is not None:
        relative = os.path.relpath(os.path.realpath(exclude), root)
        if relative == ".":
            raise SourceError(
                "the output folder is the source itself", path=text, hint="give another output folder"
            )
        inside = None if relative.split(os.sep)[0] == ".." else relative
    return Source(kind="folder", root=root, exclude=inside)


def _open_root(source: Source) -> int:
    try:
        return os.open(source.root, _FOLDER_FLAGS)
    except OSError as error:
        raise SourceError(f"the folder cannot be opened: {error.strerror}", path=source.root) from error


def _open_below(root: int, folder: bytes) -> int:
    """Open a folder step by step: no step may be a link, and no path is too long for the system."""
    here = os.open(".", _FOLDER_FLAGS, dir_fd=root)
    for part in folder.split(b"/") if folder else ():
        above = here
        try:
            here = os.open(part, _FOLDER_FLAGS, dir_fd=above)
        finally:
            os.close(above)
    return here


def _list_folder(source: Source) -> Listing:
    files: list[SourceFile] = []
    rejects: list[Reject] = []
    exclude = None if source.exclude is None else os.fsencode(source.exclude)
    waiting = [b""]
    root = _open_root(source)
    try:
        while waiting:
            folder = waiting.pop()
            try:
                here = _open_below(root, folder)
                try:
                    with os.scandir(here) as entries:
                        found = [_look(entry, folder) for entry in entries]
                finally:
                    os.close(here)
            except OSError as error:
                if not folder:
                    raise SourceError(
                        f"the folder cannot be read: {error.strerror}", path=source.root
                    ) from error
                rejects.append(_reject_raw(folder, Fault("unreadable", f"the folder: {_why(error)}")))
                continue
            for item in found:
                if isinstance(item, SourceFile):
                    files.append(item)
                elif isinstance(item, Reject):
                    rejects.append(item)
                elif item is not None and item != exclude:
                    waiting.append(item)
    finally:
        os.close(root)
    files.sort(key=lambda file: file.path)
    return Listing(files=tuple(files), rejects=_in_order(rejects))


def _look(entry: os.DirEntry[str], folder: bytes) -> SourceFile | Reject | bytes | None:
    """A file, a reject, the path of a folder to walk, or None for what is no part of the source."""
    name = os.fsencode(entry.name)
    if name == b".git":
        return None
    raw = folder + b"/" + name if folder else name
    path = check_path(raw)
    if entry.is_dir(follow_symlinks=False):
        too_long = isinstance(path, Fault) and path.rule != "path-not-utf-8"
        return _reject_raw(raw, path) if too_long and isinstance(path, Fault) else raw
    if isinstance(path, Fault):
        return _reject_raw(raw, path)
    if not entry.is_file(follow_symlinks=False):
        return _reject_raw(raw, Fault("not-a-file", _kind(entry)))
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _reject_raw(raw, Fault("unreadable", _why(error)))
    return _listed(path, status)


def _listed(path: str, status: os.stat_result) -> SourceFile | Reject:
    size = status.st_size
    if size > archives.MAX_FILE_BYTES:
        return _too_large(path, size)
    stamp = f"{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:{size}"
    return SourceFile(path=path, size=size, stamp=stamp)


def _kind(entry: os.DirEntry[str]) -> str:
    return "a link; links are not followed" if entry.is_symlink() else "a device, a pipe or a socket"


def _reject_raw(raw: bytes, fault: Fault) -> Reject:
    shown = raw[: archives.MAX_PATH_BYTES].decode("utf-8", "backslashreplace")
    return Reject(path=shown, sha256=None, size=fault.size, rule=fault.rule, reason=fault.reason)


def _why(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        raise MachineError(f"the machine refused: {error.strerror}") from error
    return f"cannot be opened: {error.strerror}"


def _list_one(source: Source, path: str) -> Listing:
    root = _open_root(source)
    try:
        status = os.stat(path.encode(), dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        return Listing(files=(), rejects=())
    finally:
        os.close(root)
    if not stat.S_ISREG(status.st_mode):
        return Listing(
            files=(), rejects=(_reject_raw(path.encode(), Fault("not-a-file", "a link or no file")),)
        )
    found = _listed(path, status)
    return (
        Listing(files=(found,), rejects=())
        if isinstance(found, SourceFile)
        else Listing(files=(), rejects=(found,))
    )


def _read_folder(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    root = _open_root(source)
    here, at = -1, b""
    try:
        for file in files:
            folder, _, name = file.path.encode().rpartition(b"/")
            try:
                if here < 0 or folder != at:
                    if here >= 0:
                        os.close(here)
                        here = -1
                    here, at = _open_below(root, folder), folder
                data = _read_regular(name, here, file)
            except OSError as error:
                yield file, _unreadable(file, _why(error))
                continue
            yield file, _unreadable(file, "changed while it was read") if data is None else data
    finally:
        if here >= 0:
            os.close(here)
        os.close(root)


def _read_regular(name: bytes, folder: int, file: SourceFile) -> bytes | None:
    """The bytes of a file, None if it is not the one that was listed."""
    size = file.size
    handle = os.open(name, _FILE_FLAGS, dir_fd=folder)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size != size or not _same_time(file, status):
            return None
        data = os.read(handle, size + 1)
        while len(data) < size and (more := os.read(handle, size + 1 - len(data))):
            data += more
        # Once more, so that a file written to meanwhile is not taken half old and half new.
        return data if len(data) == size and _same_time(file, os.fstat(handle)) else None
    finally:
        os.close(handle)


def _same_time(file: SourceFile, status: os.stat_result) -> bool:
    return file.stamp.startswith(f"{status.st_mtime_ns}:")


# --------------------------------------------------------------------------------------------------- git


def _bare_repository(folder: str) -> str | None:
    path = Path(folder)
    bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return folder if bare else None


def _split_revision(text: str) -> tuple[str, str, str] | None:
    """Split `repo@REV:sub` at the first `@` with a repository before it, as both may hold an `@`."""
    for place in (place for place, letter in enumerate(text) if letter == "@"):
        folder, revision = text[:place], text[place + 1 :]
        work_tree = Path(folder, ".git")
        git_folder = str(work_tree) if work_tree.exists() else _bare_repository(folder)
        if folder and git_folder:
            revision, _, below = revision.partition(":")
            return os.path.realpath(git_folder), revision, below.strip("/")
    return None


def _open_git(git_folder: str, revision: str, below: str) -> Source:
    if not revision or revision.startswith("-"):
        raise SourceError(f"{revision!r} is no revision", path=git_folder, hint="give repo@REVISION")
    root = os.path.realpath(git_folder)
    commit = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    tree = _git(root, "rev-parse", "--verify", f"{commit}:{below}").decode().strip()
    if _git(root, "cat-file", "-t", tree) != b"tree\n":
        raise SourceError(f"{below!r} is no folder at {revision}", path=git_folder)
    return Source(kind="git", root=root, commit=commit, tree=tree)


def _git_command(root: str, *arguments: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise SourceError(
            "git is not installed", path=root, hint="install git, or give a folder or an archive"
        )
    # Naming the git folder makes git look for none, and ask for no owner.
    return [
        program,
        "--no-pager",
        "--literal-pathspecs",
        f"--git-dir={root}",
        "-c",
        "core.fsmonitor=false",
        *arguments,
    ]


def _git_environment() -> dict[str, str]:
    """Nothing of the caller's or the repository's settings may start a program, follow a remote or swap an object."""
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


def _git(root: str, *arguments: str) -> bytes:
    done = subprocess.run(  # noqa: S603  (a list, no shell; what comes from outside is checked above)
        _git_command(root, *arguments),
        env=_git_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").strip().removeprefix("fatal: ")
        raise SourceError(f"git: {said}", path=root, hint="check the repository and the revision")
    return done.stdout


def _list_git(source: Source, path: str | None = None) -> Listing:
    assert source.tree
    only = [] if path is None else ["--", path]
    listed = _git(source.root, "ls-tree", "-r", "-z", "-l", "--full-tree", source.tree, *only)
    files: dict[str, SourceFile] = {}
    rejects: list[Reject] = []
    submodules = 0
    for line in listed.split(b"\0")[:-1]:
        about, _, raw = line.partition(b"\t")
        mode, _, blob, size = about.decode().split()
        name = check_path(raw)
        if mode == "160000":
            submodules += 1
        elif b".git" in raw.split(b"/"):
            continue
        elif isinstance(name, Fault):
            rejects.append(_reject_raw(raw, name))
        elif not mode.startswith("100"):
            rejects.append(_reject_raw(raw, Fault("not-a-file", "a link; links are not followed")))
        elif not size.isdigit():
            rejects.append(_reject_raw(raw, Fault("unreadable", f"the repository has no object {blob}")))
        elif int(size) > archives.MAX_FILE_BYTES:
            rejects.append(_too_large(name, int(size)))
        elif name in files:
            rejects.append(_reject_raw(raw, Fault("path-taken", "the tree names this file twice", int(size))))
        else:
            files[name] = SourceFile(path=name, size=int(size), stamp=_GIT + blob)
    return Listing(
        files=tuple(files[name] for name in sorted(files)),
        rejects=_in_order(rejects),
        commit=source.commit,
        notes=(f"{submodules} submodules were left out",) if submodules else (),
    )


def _read_git(source: Source, files: list[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    done = 0
    while done < len(files):
        # git ends at an object that is damaged; the next one starts after it.
        for file, data in _read_blobs(source, files[done:]):
            done += 1
            yield file, data


def _read_blobs(source: Source, files: list[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    with tempfile.TemporaryFile() as wanted:
        wanted.write(b"".join(file.stamp.removeprefix(_GIT).encode() + b"\n" for file in files))
        wanted.seek(0)
        process = subprocess.Popen(  # noqa: S603  (a list, no shell)
            _git_command(source.root, "cat-file", "--batch", "--buffer"),
            env=_git_environment(),
            stdin=wanted,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=2**18,
        )
    output = process.stdout
    assert output
    try:
        for file in files:
            header = output.readline().split()
            size = int(header[2]) if len(header) == 3 else -1
            data = output.read(size + 1)[:-1] if size == file.size else b""
            if size != file.size or len(data) != size:
                yield file, _unreadable(file, "git cannot read the object; see `git fsck`")
                if header[1:] == [b"missing"]:
                    continue
                return
            yield file, data
    finally:
        output.close()
        process.kill()
        process.wait()


# ------------------------------------------------------------------------------------------------- spool


def _new_spool(scratch: Path) -> Path:
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="source-", suffix=".spool", dir=scratch)
    except OSError as error:
        raise MachineError(f"cannot write here: {error.strerror}", path=scratch) from error
    os.close(handle)
    return Path(name)


def _read_spool(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    try:
        handle = os.open(source.root, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the unpacked archive is gone: {error.strerror}", path=source.root) from error
    try:
        for file in files:
            data = os.pread(handle, file.size, file.offset)
            yield (
                file,
                data if len(data) == file.size else _unreadable(file, "the unpacked archive is cut short"),
            )
    finally:
        os.close(handle)
