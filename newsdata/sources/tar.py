"""Read a tar stream, forward only.

`tarfile` is not used: it stops silently at a damaged header, and it takes five times as long. A test checks that both
read the same. Formats: POSIX.1-2001 (ustar, pax) and GNU tar (long names).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ..errors import NewsdataError, SourceError
from .folder_walk import Fault, size_fault
from .unpacked import UNPACK_HINT, Member, check_limits

__all__ = ["tar_members"]

_BLOCK = 512  # a tar is made of blocks of this many bytes
_MAX_EXTENSION = 2**20  # bytes of one pax header or long name
_NOT_FILES = {
    b"1": "this is a hard link, and links are not followed",
    b"2": "this is a link, and links are not followed",
    b"3": "this is a device",
    b"4": "this is a device",
    b"6": "this is a pipe",
}


def tar_members(stream: BinaryIO, packed: int, name: str) -> Iterator[Member]:
    """Read the members of a tar stream, in the order of the stream; folders are left out.

    Args:
        stream: the unpacked tar.
        packed: size of the archive file in bytes, for the limits.
        name: what messages call the archive.

    Raises:
        SourceError: this is not a tar, it is damaged or truncated, or it is above a limit.
    """
    tape = _Tape(stream, packed, name)
    try:
        yield from _read_members(tape)
        # Read to the end, so that the decompressor verifies its checksums.
        while rest := stream.read(2**20):
            tape.position += len(rest)
            check_limits(tape.position, packed, tape.members, name)
            if rest.count(0) != len(rest):
                raise SourceError("there is more data after the end of the archive", path=name, hint=UNPACK_HINT)
    except NewsdataError:
        raise
    except EOFError as error:
        if tape.position < _BLOCK:
            raise _not_an_archive(name, "not a tar or zip file, or truncated before its first member") from error
        raise SourceError(
            f"the archive is truncated: it ends after {tape.members:,} whole members "
            f"and {tape.position:,} unpacked bytes",
            path=name,
            hint="fetch it again",
        ) from error
    except Exception as error:  # damaged bytes can make a decoder raise anything
        raise SourceError(
            f"the archive is damaged after {tape.members:,} members and {tape.position:,} bytes: {error}",
            path=name,
            hint="fetch it again",
        ) from error


class _Tape:
    """A stream that is read forward only and never beyond the limits.

    Attributes:
        position: bytes read so far.
        members: members read so far.
    """

    def __init__(self, stream: BinaryIO, packed: int, name: str) -> None:
        self.stream, self.packed, self.name = stream, packed, name
        self.position = self.members = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; raises `EOFError` if there are fewer."""
        data = self.stream.read(size)
        self.position += len(data)
        if len(data) != size:
            raise EOFError
        check_limits(self.position, self.packed, self.members, self.name)
        return data

    def skip(self, size: int) -> None:
        """Skip a content of `size` bytes, and the rest of its last block."""
        size += -size % _BLOCK
        while size > 0:
            size -= len(self.read(min(size, 2**20)))

    def content(self, size: int) -> bytes:
        """A content of `size` bytes; the rest of its last block is skipped."""
        data = self.read(size + -size % _BLOCK)
        return data[:size] if size % _BLOCK else data


def _read_members(tape: _Tape) -> Iterator[Member]:
    long_name, pax = b"", dict[bytes, bytes]()
    while True:
        header = tape.read(_BLOCK)
        if header.count(0) == _BLOCK:
            return
        if not _checksum_is_right(header):
            if tape.position == _BLOCK:
                raise _not_an_archive(tape.name, "neither a tar nor a zip file")
            raise ValueError("a header's checksum is wrong")
        kind, size = header[156:157], _number(header[124:136])
        if size < 0:
            raise ValueError("a header's size is not a number")
        if kind in b"xXgLK":  # a header that says more about the next member
            if size > _MAX_EXTENSION:
                raise ValueError(f"a header of {size:,} bytes")
            body = tape.content(size)
            if kind == b"L":
                long_name = body.partition(b"\0")[0]
            elif kind in b"xX":
                pax = _pax_records(body)
            continue
        name = pax.get(b"GNU.sparse.name") or pax.get(b"path") or long_name or _name(header)
        if b"size" in pax:
            size = _decimal(pax[b"size"])
        if kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in pax):
            content: bytes | Fault | None = _skip_sparse(tape, header, size)
        else:
            content = _content(tape, kind, name, size)
        tape.members += 1
        long_name, pax = b"", {}
        if content is not None:
            yield name, content


def _content(tape: _Tape, kind: bytes, name: bytes, size: int) -> bytes | Fault | None:
    """Read or skip the content of a member: bytes of a file, None for a folder, a fault for anything else."""
    if kind in (b"0", b"\0", b"7"):
        is_folder = name.endswith(b"/")  # very old tars write a folder this way
        fault = None if is_folder else size_fault(size)
        if not is_folder and not fault:
            return tape.content(size)
        tape.skip(size)
        return fault
    if kind in b"5DV":  # a folder, its listing, the label of the tape
        if kind != b"5":
            tape.skip(size)
        return None
    if kind not in b"12346":
        tape.skip(size)
    return Fault("not-a-file", _NOT_FILES.get(kind, "this is no regular file"), folder=kind == b"2")


def _skip_sparse(tape: _Tape, header: bytes, size: int) -> Fault:
    """Skip a sparse file, which is not supported: its headers, if it is in GNU's old format, and its content."""
    more_headers = header[156:157] == b"S" and header[482]
    while more_headers:
        more_headers = tape.read(_BLOCK)[504]
    tape.skip(size)
    return Fault("unreadable", "this is a sparse file, which cannot be read; write the archive without --sparse", size)


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and header[345]:
        return header[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _checksum_is_right(header: bytes) -> bool:
    rest = header[:148] + header[156:]
    found, unsigned = _number(header[148:156]), sum(rest) + 8 * 32
    # Some old programs added up signed bytes.
    return found == unsigned or found == unsigned - 256 * sum(byte > 127 for byte in rest)


def _number(field: bytes) -> int:
    """A number of a header: octal digits, or base 256 for 8 GiB and more; -1 if it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1  # 0xff starts a negative number
    digits = field.partition(b"\0")[0].strip(b" ") or b"0"
    return int(digits, 8) if digits.isdigit() and not digits.strip(b"01234567") else -1


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise ValueError("a pax size is not a number")
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


def _not_an_archive(name: str, reason: str) -> SourceError:
    hint = "give a folder, repo@REVISION, a tar or zip file, or an address of one"
    if name.startswith(("http://", "https://")):
        hint = "give the address of a .tar.gz, .tar.zst or .zip; clone a git repository first"
    return SourceError(reason, path=name, hint=hint)
