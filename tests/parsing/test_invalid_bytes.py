from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsdata.parsing.invalid_bytes import invalid_bytes
from newsdata.schema import InvalidByte

PIECES = st.lists(st.sampled_from([b"a", b"\n", "甲".encode(), "𠮷".encode(), b"\xff", b"\xe7\x94", b"\x80", b"\xed\xa0\x80", b"\xf0\x9f"]))  # fmt: skip


@given(PIECES.map(b"".join))
def test_the_bytes_that_are_left_are_utf_8_and_nothing_is_lost(data: bytes) -> None:
    found = invalid_bytes(data)
    lost = {one.offset: one.byte for one in found}
    assert all(data[offset] == byte for offset, byte in lost.items())
    rest = bytes(byte for offset, byte in enumerate(data) if offset not in lost)
    kept = data.decode("utf-8", "replace").replace("\ufffd", "").encode()
    assert rest == kept and len(rest) + len(found) == len(data)


def test_valid_text_has_none() -> None:
    assert invalid_bytes("甲\ufffd乙".encode()) == ()
    assert invalid_bytes(b"\xe7\x94") == (InvalidByte(0, 0xE7), InvalidByte(1, 0x94))
