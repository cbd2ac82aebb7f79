"""Signatures: frozen values, and what is written is read again."""

from __future__ import annotations

from pathlib import Path

from newsdata.near_duplicates.boilerplate import Boilerplate
from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.signatures import SIGNATURE_SCHEMA, Words, method, open_signatures, sign, write_signatures

from .made_articles import NONE, words


def test_signatures_are_as_they_were() -> None:
    """Frozen values: where this fails, `DEDUP_VERSION` must be raised."""
    words_ = Words(
        texts=["央行今日开展1500亿元逆回购操作，利率2.1%"],
        titles=["央行开展1500亿元逆回购"],
        digests=["央行公告称，今日开展逆回购操作。"],
        urls=["http://x.cn/1"],
        langs=["zh-Hant"],
    )
    table = sign(["1"], words_, [19000], NONE)
    assert table.schema == SIGNATURE_SCHEMA
    assert table["exact"].to_pylist() == [EXACT]
    assert table["shingles"].to_pylist()[0][:3] == SHINGLES
    assert table["bands"].to_pylist()[0][:3] == BANDS
    assert (table["digest"].to_pylist(), table["head"].to_pylist()) == ([DIGEST], [HEAD])
    assert table["title"].to_pylist()[0][:3] == TITLE
    assert table["words"].to_pylist()[0][:3] == WORDS
    assert table["language"].to_pylist() == [LANGUAGE]
    assert method()["version"] == "2"


EXACT = 13468440794801360595
SHINGLES = [28973867, 54954468, 270673544]
BANDS = [16029780073908324755, 15788875305674567130, 9826759001028732374]
DIGEST, HEAD = 13235008195129867947, 14485191178253050175
TITLE = [198273382, 2773283180, 1687394664]
LANGUAGE = 3102313183
WORDS = [198273382, 2773283180, 2236209120]


def test_an_article_is_signed_alike_in_any_company() -> None:
    texts = [words(1), "", words(2, 600), "今日休市", words(1)]
    titles, urls = [None, "另一题", None, None, None], [None, "http://x.cn/1", None, None, None]
    langs = [None, "zh", "en", None, "zh"]
    given = Words(texts=texts, titles=titles, digests=titles, urls=urls, langs=langs)
    together = sign([*"abcde"], given, [1, None, 3, 4, 5], NONE)
    for at, text in enumerate(texts):
        row = together.slice(at, 1).to_pylist()[0]
        one = slice(at, at + 1)
        alone = Words(texts=[text], titles=titles[one], digests=titles[one], urls=urls[one], langs=langs[one])
        assert sign([row["article_id"]], alone, [row["day"]], NONE).to_pylist() == [row]
    equal = together.select(["exact", "identity", "bands", "shingles", "passages"])
    assert equal.slice(0, 1).equals(equal.slice(4, 1))


def test_boilerplate_leaves_the_shingles() -> None:
    text, frame = words(1), "本网站所有内容仅供参考不构成投资建议"
    listed = Boilerplate.of(shingle([frame]).hashes)
    both = sign(["a", "b"], Words.of([frame, text]), [1, 1], listed)
    assert both["rare"].to_pylist() == [0, len(sign(["b"], Words.of([text]), [1], NONE)["shingles"][0])]
    assert both["exact"][0].as_py() != 0, "an equal text is found all the same"


def test_what_was_written_is_read_column_by_column(tmp_path: Path) -> None:
    table = sign(["a", "b"], Words.of([words(1), ""]), [1, None], NONE, [b"k", b"l"])
    write_signatures(table, tmp_path / "some")
    assert open_signatures(tmp_path / "some").equals(table)
    assert open_signatures(tmp_path / "some", ["day", "key"]).to_pydict() == {"day": [1, None], "key": [b"k", b"l"]}
    write_signatures(table.slice(0, 0), tmp_path / "none")
    assert open_signatures(tmp_path / "none").equals(SIGNATURE_SCHEMA.empty_table())
