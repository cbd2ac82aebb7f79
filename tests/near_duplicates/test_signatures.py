"""Signatures: frozen values, and what is written is read again."""

from __future__ import annotations

from pathlib import Path

from newsdata.near_duplicates.boilerplate import Boilerplate
from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.signatures import SIGNATURE_SCHEMA, method, open_signatures, sign, write_signatures

from .made_articles import NONE, words


def test_signatures_are_as_they_were() -> None:
    """Frozen values: where this fails, `DEDUP_VERSION` must be raised."""
    table = sign(["1"], ["央行今日开展1500亿元逆回购操作，利率2.1%"], [19000], ["http://x.cn/1"], NONE)
    assert table.schema == SIGNATURE_SCHEMA
    assert table["exact"].to_pylist() == [EXACT]
    assert table["shingles"].to_pylist()[0][:3] == SHINGLES
    assert table["bands"].to_pylist()[0][:3] == BANDS
    assert method()["version"] == "1"


EXACT = 10420446082630539797
SHINGLES = [198218558, 472276575, 807674352]
BANDS = [4040484059, 2656226897, 712681764]


def test_an_article_is_signed_alike_in_any_company() -> None:
    texts = [words(1), "", words(2, 600), "今日休市", words(1)]
    together = sign([*"abcde"], texts, [1, None, 3, 4, 5], [None, "http://x.cn/1", None, None, None], NONE)
    for at, text in enumerate(texts):
        row = together.slice(at, 1).to_pylist()[0]
        address = "http://x.cn/1" if at == 1 else None
        assert sign([row["article_id"]], [text], [row["day"]], [address], NONE).to_pylist() == [row]
    equal = together.select(["exact", "identity", "bands", "shingles", "passages"])
    assert equal.slice(0, 1).equals(equal.slice(4, 1))


def test_boilerplate_leaves_the_shingles() -> None:
    text, frame = words(1), "本网站所有内容仅供参考不构成投资建议"
    listed = Boilerplate.of(shingle([frame]).hashes)
    both = sign(["a", "b"], [frame, text], [1, 1], [None, None], listed)
    assert both["rare"].to_pylist() == [0, len(sign(["b"], [text], [1], [None], NONE)["shingles"][0])]
    assert both["exact"][0].as_py() != 0, "an equal text is found all the same"


def test_what_was_written_is_read_column_by_column(tmp_path: Path) -> None:
    table = sign(["a", "b"], [words(1), ""], [1, None], ["http://x.cn/1", None], NONE, [b"k", b"l"])
    write_signatures(table, tmp_path / "some")
    assert open_signatures(tmp_path / "some").equals(table)
    assert open_signatures(tmp_path / "some", ["day", "key"]).to_pydict() == {"day": [1, None], "key": [b"k", b"l"]}
    write_signatures(table.slice(0, 0), tmp_path / "none")
    assert open_signatures(tmp_path / "none").equals(SIGNATURE_SCHEMA.empty_table())
