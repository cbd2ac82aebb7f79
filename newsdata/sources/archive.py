"""Unpack a tar (plain, gz, bz2, xz, zst) or zip file, and read compressed streams."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import SourceError
from .folder_walk import Fault, size_fault
from .tar import tar_members
from .unpacked import Member, check_limits, unpacking, write_unpacked

__all__ = ["unpack_file"]

_XZ_MEMORY = 256 * 2**20  # bytes; xz -9 needs 65 MiB


def unpack_file(archive: Path, unpacked: Path, *, name: str) -> None:
    """Unpack a tar or zip file.

    Args:
        archive: the file. Its first bytes say what kind it is; its name does not matter.
        unpacked: the file to write; the index beside it gets the suffix `.index`.
        name: what messages call the archive.

    Raises:
        SourceError: it is not an archive, it is damaged or truncated, or it is above a limit. Nothing is left behind.
        MachineError: the disk is full.
    """
    with unpacking(unpacked, name), archive.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        if magic[:4] in (b"PK\3\4", b"PK\5\6"):
            members = _zip_members(file, name)
        else:
            members = tar_members(_decompressed(file, magic), os.fstat(file.fileno()).st_size, name)
        write_unpacked(members, unpacked)


# -------------------------------------------------------------------------------------------------- zip


def _zip_members(file: BinaryIO, name: str) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # damaged bytes can make zipfile raise anything
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
        if kind == stat.S_IFLNK:
            return Fault("not-a-file", "this is a link, and links are not followed", folder=True)
        return Fault("not-a-file", "this is a device or a pipe")
    if fault := size_fault(info.file_size):
        return fault
    if info.flag_bits & 1:
        return Fault("unreadable", "the file is encrypted in the archive", info.file_size)
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size)
            if len(data) != info.file_size or member.read(1):
                raise EOFError("it is shorter than the archive says")
            return data
    except Exception as error:  # damaged bytes can make a decoder raise anything
        return Fault("unreadable", f"the file is damaged in the archive: {error}", info.file_size)


# -------------------------------------------------------------------------------------------- compression


def _decompressed(file: BinaryIO, magic: bytes) -> BinaryIO:
    """The decompressed stream of a file, told by its first bytes; the file itself if it is not compressed."""
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
                "reading .zst needs the package zstandard", hint="pip install 'newsdata[archives]'"
            ) from error
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return io.BufferedReader(cast(io.RawIOBase, reader))
    return file


class _XzStream:
    """Like `lzma.open`, with a limit on the memory that the file may ask for."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(self, size: int) -> bytes:
        parts = []
        while size > 0:
            if self.decoder.eof:
                # Another stream may follow, after zeros.
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
