"""tar and zip files, unpacked into one spool file.

No name from an archive is ever used as a path: the bytes of all members stand one after the other in a single
file, and an index beside it says which stand where. So `../`, absolute names and links can do no harm.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import io
import json
import lzma
import os
import stat
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ..errors import MachineError, NewsdataError, SourceError
from ..schema import Reject
from .folders import MAX_PATH_BYTES, Fault, check_path, size_fault

__all__ = [
    "Index",
    "IndexEntry",
    "Member",
    "as_reject",
    "check_limits",
    "read_index",
    "unpack_file",
    "unpacking",
    "write_spool",
]

MAX_TOTAL_BYTES = 64 * 2**30
"""An archive that unpacks to more is refused."""
MAX_RATIO = 200
"""An archive that unpacks to more than this many times its size is refused, once past `RATIO_FREE_BYTES`."""
RATIO_FREE_BYTES = 2**30
"""Below this unpacked size no ratio is looked at: small, repetitive archives are no danger."""
MAX_MEMBERS = 4_000_000
"""An archive with more members is refused."""

_MAX_TAR_EXTENSION = 2**20  # bytes of one pax or long-name header
_XZ_MEMORY = 256 * 2**20  # xz -9 needs 65 MiB
_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE}  # no fault of the archive
_UNPACK = "unpack it yourself and give the folder"


class IndexEntry(NamedTuple):
    """One file in the spool: `size` bytes from `offset` on."""

    path: str
    size: int
    offset: int
    sha256: str


class Index(NamedTuple):
    """What a spool holds, in the order of the paths, and what was left out."""

    files: tuple[IndexEntry, ...]
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


Member = tuple[bytes, "bytes | Fault"]


def unpack_file(archive: Path, spool: Path, *, name: str) -> None:
    """Unpack a tar (plain, gz, bz2, xz, zst) or zip file into `spool` and the index beside it.

    Args:
        archive: the file; its kind is told by its first bytes, not by its name.
        spool: the file to write; the index gets the suffix `.index`.
        name: how messages call the archive.

    Raises:
        SourceError: no archive, a damaged or truncated one, or one beyond a limit; nothing is left behind.
        MachineError: the disk is full.
    """
    with unpacking(spool, name), archive.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        if magic[:4] in (b"PK\3\4", b"PK\5\6"):
            members = _zip_members(file, name)
        else:
            members = _tar_members(_decompressed(file, magic), os.fstat(file.fileno()).st_size, name)
        write_spool(members, spool)


def read_index(spool: Path) -> Index:
    """Read the index that `unpack_file` or `unpack_url` wrote beside `spool`."""
    with _index_path(spool).open(encoding="utf-8") as file:
        found = json.load(file)
    return Index(
        tuple(IndexEntry(*entry) for entry in found["files"]),
        tuple(Reject(**reject) for reject in found["rejects"]),
        tuple(found["notes"]),
    )


# ------------------------------------------------------------------------------------------------ spool


def _index_path(spool: Path) -> Path:
    return spool.with_suffix(".index")


def write_spool(members: Iterable[Member], spool: Path) -> None:
    """Write the bytes of all members and the index. Of two with one name the later counts, as in tar."""
    files: dict[str, IndexEntry] = {}
    rejects: list[Reject] = []
    offset = 0
    with spool.open("wb", buffering=2**20) as file:
        for raw, content in members:
            if b".git" in raw.split(b"/"):
                continue  # as in a folder: git's own files are not part of the source
            path = check_path(raw)
            if isinstance(path, Fault):
                size = content.size if isinstance(content, Fault) else len(content)
                rejects.append(as_reject(raw, path._replace(size=size)))
                continue
            if earlier := files.pop(path, None):
                taken = Fault("path-taken", "a later member of the archive has the same name", earlier.size)
                rejects.append(replace(as_reject(raw, taken), sha256=earlier.sha256))
            if isinstance(content, Fault):
                rejects.append(as_reject(raw, content))
                continue
            digest = hashlib.sha256(content, usedforsecurity=False).hexdigest()
            files[path] = IndexEntry(path, len(content), offset, digest)
            file.write(content)
            offset += len(content)
    top = _top_folder([*files, *(reject.path for reject in rejects if reject.rule != "path-unsafe")])
    index = {
        "files": sorted(entry._replace(path=entry.path.removeprefix(top)) for entry in files.values()),
        "rejects": [asdict(reject) | {"path": reject.path.removeprefix(top)} for reject in rejects],
        "notes": [f"paths are given without the archive's top folder {top}"] if top else [],
    }
    _index_path(spool).write_text(json.dumps(index), encoding="utf-8")


def as_reject(raw: bytes, fault: Fault) -> Reject:
    """The reject of a member; a name that is none is shown with its odd bytes escaped."""
    path = check_path(raw)
    shown = path if isinstance(path, str) else raw[:MAX_PATH_BYTES].decode("utf-8", "backslashreplace")
    return Reject(path=shown, sha256=None, size=fault.size, rule=fault.rule, reason=fault.reason)


def _top_folder(paths: list[str]) -> str:
    """`name/` where all lies in that one folder and it holds a site, as code hosts pack it, else ""."""
    top = paths[0].partition("/")[0] + "/" if paths else ""
    if not all(path.startswith(top) for path in paths):
        return ""
    marks = (f"{top}_posts/", f"{top}old_post/")
    return top if any(path.startswith(marks) or path == f"{top}_config.yml" for path in paths) else ""


# -------------------------------------------------------------------------------------------------- tar


class _Tape:
    """A stream that is read forward only, and never beyond the limits."""

    def __init__(self, stream: BinaryIO, packed: int, name: str) -> None:
        self.stream, self.packed, self.name = stream, packed, name
        self.position = self.members = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        data = self.stream.read(size)
        self.position += len(data)
        if len(data) != size:
            raise EOFError
        check_limits(self.position, self.packed, self.members, self.name)
        return data

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.read(min(size, 2**20)))

    def content(self, size: int) -> bytes:
        """The bytes of one member; what fills up its last block is dropped."""
        data = self.read(size + -size % 512)
        return data[:size] if size % 512 else data


def check_limits(unpacked: int, packed: int, members: int, name: str) -> None:
    """Raise `SourceError` where an archive of `packed` bytes unpacks to more than it may."""
    if members > MAX_MEMBERS:
        raise SourceError(f"more than {MAX_MEMBERS:,} members", path=name, hint=_UNPACK)
    if unpacked > MAX_TOTAL_BYTES:
        raise SourceError(f"unpacks to more than {MAX_TOTAL_BYTES:,} bytes", path=name, hint=_UNPACK)
    if unpacked > RATIO_FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise SourceError(f"unpacks to more than {MAX_RATIO} times its size", path=name, hint=_UNPACK)


def _tar_members(stream: BinaryIO, packed: int, name: str) -> Iterator[Member]:
    """Walk a tar stream.

    Not `tarfile`: that one ends without a word at a damaged header, and takes five times as long. A test
    holds that both read the same. Format: POSIX.1-2001 (pax, ustar) and GNU tar's long names.
    """
    tape = _Tape(stream, packed, name)
    try:
        yield from _walk_tar(tape)
        # Reading on to the end makes the decompressor check its sums.
        while rest := stream.read(2**20):
            tape.position += len(rest)
            check_limits(tape.position, packed, tape.members, name)
            if rest.count(0) != len(rest):
                raise SourceError("more data stands after the end of the archive", path=name, hint=_UNPACK)
    except NewsdataError:
        raise
    except EOFError as error:
        if tape.position < 512:
            raise _no_archive(name, "no tar or zip file, or truncated before its first member") from error
        raise SourceError(
            f"the archive is truncated: it ends after {tape.members:,} whole members "
            f"and {tape.position:,} unpacked bytes",
            path=name,
            hint="fetch it again",
        ) from error
    except Exception as error:  # what decoders raise on damaged bytes is in no list
        raise SourceError(
            f"the archive is damaged after {tape.members:,} members and {tape.position:,} bytes: {error}",
            path=name,
            hint="fetch it again",
        ) from error


def _walk_tar(tape: _Tape) -> Iterator[Member]:
    long_name, pax = b"", dict[bytes, bytes]()
    while True:
        header = tape.read(512)
        if header.count(0) == 512:
            return
        if not _sum_is_right(header):
            if tape.position == 512:
                raise _no_archive(tape.name)
            raise ValueError("a header's checksum is wrong")
        kind, size = header[156:157], _number(header[124:136])
        if size < 0:
            raise ValueError("a header's size is no number")
        if kind in b"xXgLK":
            if size > _MAX_TAR_EXTENSION:
                raise ValueError(f"a header of {size:,} bytes")
            body = tape.content(size)
            if kind == b"L":
                long_name = body.partition(b"\0")[0]
            elif kind in b"xX":
                pax = _pax_records(body)
            continue
        name = pax.get(b"GNU.sparse.name") or pax.get(b"path") or long_name
        if not name:
            name = header[:100].partition(b"\0")[0]
            if header[257:263] == b"ustar\0" and header[345]:
                name = header[345:500].partition(b"\0")[0] + b"/" + name
        if b"size" in pax:
            size = _decimal(pax[b"size"])
        content: bytes | Fault | None
        if kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in pax):
            extended = kind == b"S" and header[482]
            while extended:
                extended = tape.read(512)[504]
            tape.skip(size + -size % 512)
            content = Fault("unreadable", "a sparse file; write the archive without --sparse", size)
        elif kind in (b"0", b"\0", b"7"):
            # A name with a slash at its end is how very old tars write a folder.
            content = None if name.endswith(b"/") else size_fault(size)
            if name.endswith(b"/") or content:
                tape.skip(size + -size % 512)
            else:
                content = tape.content(size)
        elif kind in b"5DV":  # a folder, its listing, the label of the tape
            content = None
            if kind != b"5":
                tape.skip(size + -size % 512)
        else:
            content = Fault("not-a-file", _TAR_KINDS.get(kind, "no regular file"))
            if kind not in b"12346":
                tape.skip(size + -size % 512)
        tape.members += 1
        long_name, pax = b"", {}
        if content is not None:
            yield name, content


_TAR_KINDS = {
    b"1": "a hard link; links are not followed",
    b"2": "a link; links are not followed",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
}


def _sum_is_right(header: bytes) -> bool:
    rest = header[:148] + header[156:]
    found, unsigned = _number(header[148:156]), sum(rest) + 8 * 32
    # Some old tars took bytes as signed.
    return found == unsigned or found == unsigned - 256 * sum(byte > 127 for byte in rest)


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # base 256, for sizes of 8 GiB and more; 0xff would be a negative number
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    digits = field.partition(b"\0")[0].strip(b" ") or b"0"
    return int(digits, 8) if digits.isdigit() and not digits.strip(b"01234567") else -1


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise ValueError("a pax size is no number")
    return int(digits)


def _pax_records(body: bytes) -> dict[bytes, bytes]:
    records = {}
    position = 0
    while position < len(body):
        blank = body.index(b" ", position, position + 20)
        end = position + _decimal(body[position:blank])
        if not blank < end <= len(body):
            raise ValueError("a pax header's length is wrong")
        key, _, value = body[blank + 1 : end - 1].partition(b"=")
        records[key] = value
        position = end
    return records


def _decompressed(file: BinaryIO, magic: bytes) -> BinaryIO:
    if magic.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return cast(BinaryIO, bz2.BZ2File(file))
    if magic == b"\xfd7zXZ\0":
        return cast(BinaryIO, _XzStream(file))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        if sys.version_info >= (3, 14):
            from compression.zstd import ZstdFile

            return cast(BinaryIO, ZstdFile(file))
        try:
            import zstandard
        except ImportError as error:
            raise SourceError(
                "reading .zst needs the package zstandard", hint="pip install newsdata[archives]"
            ) from error
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return io.BufferedReader(cast(io.RawIOBase, reader))
    return file


class _XzStream:
    """`lzma.open` for reading, with a limit on the memory that the file may ask for."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(self, size: int) -> bytes:
        parts = []
        while size > 0:
            if self.decoder.eof:
                # Several streams may follow each other, with zeros between them.
                rest = self.decoder.unused_data.lstrip(b"\0")
                while not rest and (more := self.file.read(2**16)):
                    rest = more.lstrip(b"\0")
                if not rest:
                    break
                self.decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
                data = self.decoder.decompress(rest, size)
            else:
                packed = self.file.read(2**16) if self.decoder.needs_input else b""
                if not packed and self.decoder.needs_input:
                    raise EOFError
                data = self.decoder.decompress(packed, size)
            parts.append(data)
            size -= len(data)
        return b"".join(parts)


# -------------------------------------------------------------------------------------------------- zip


def _zip_members(file: BinaryIO, name: str) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # what damaged bytes make zipfile raise is in no list
        reason = f"the zip file is damaged or truncated: {error}"
        raise SourceError(reason, path=name, hint="fetch it again") from error
    infos = archive.infolist()
    packed = os.fstat(file.fileno()).st_size
    check_limits(sum(info.file_size for info in infos), packed, len(infos), name)
    for info in infos:
        utf8 = info.flag_bits & 0x800
        raw = info.orig_filename.encode("utf-8" if utf8 else "cp437")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if raw.endswith(b"/") or kind == stat.S_IFDIR:
            continue
        yield raw, _zip_content(archive, info, kind)


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: int) -> bytes | Fault:
    if kind not in (0, stat.S_IFREG):
        return Fault("not-a-file", "a link; links are not followed" if kind == stat.S_IFLNK else "a device or a pipe")
    if fault := size_fault(info.file_size):
        return fault
    if info.flag_bits & 1:
        return Fault("unreadable", "the member is encrypted", info.file_size)
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size)
            if len(data) != info.file_size or member.read(1):
                raise EOFError("the member is shorter than the archive says")
            return data
    except Exception as error:  # what damaged bytes make the decoders raise is in no list
        return Fault("unreadable", f"the member is damaged: {error}", info.file_size)


# ------------------------------------------------------------------------------------------------ errors


def _no_archive(name: str, reason: str = "neither a tar nor a zip file") -> SourceError:
    hint = "give a folder, repo@REVISION, a tar or zip file, or an address of one"
    if name.startswith(("http://", "https://")):
        hint = "an address must lead to a .tar.gz, .tar.zst or .zip; clone a git repository first"
    return SourceError(reason, path=name, hint=hint)


@contextmanager
def unpacking(spool: Path, name: str, *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Leave nothing behind on an error, and say it in this package's words, without the `secrets`."""
    try:
        yield
    except BaseException as error:
        spool.unlink(missing_ok=True)
        _index_path(spool).unlink(missing_ok=True)
        if isinstance(error, NewsdataError) or not isinstance(error, Exception):
            raise
        raise _in_our_words(error, name, secrets) from error


def _in_our_words(error: Exception, name: str, secrets: tuple[str, ...]) -> NewsdataError:
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return MachineError(f"cannot unpack: {error.strerror}", path=name, hint="make room and try again")
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # fsspec calls whatever goes wrong on the web "not found"
    if isinstance(error, FileNotFoundError) or getattr(error, "status", 0) in (404, 410):
        return SourceError("there is nothing at this address", path=name)
    if isinstance(error, ImportError):
        hint = "pip install newsdata[s3]" if name.startswith(("s3://", "s3a://")) else None
        return SourceError(f"a driver is not installed: {error}", path=name, hint=hint)
    text = f"{type(error).__name__}: {error}"
    for secret in secrets:
        text = text.replace(secret, "…")
    if isinstance(error, PermissionError):
        return SourceError(f"access refused: {text}", path=name, hint="check the credentials")
    return SourceError(f"cannot be read: {text}", path=name)
