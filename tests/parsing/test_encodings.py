"""Encodings: what is read, what is told from the text, and what is rejected in doubt."""

from __future__ import annotations

import pytest

from newsdata.parsing.encodings import FEWEST, decode

from ..timing import growth

HEAD = "---\ntitle: {}\ndate: 2022-03-01 10:00:00 +0800\ncategories: orders\n---\n"
SIMPLIFIED = [
    "某公司昨日表示，全年订单比去年多两成，工厂已经满产。", "市场预计下半年需求会继续增加，价格可能上涨。", "记者从会上获悉，新的政策将在六月一日起施行。",
    "截至收盘，三大指数全线上涨，成交额超过一万亿元。", "业内人士认为，原材料价格下跌有利于下游企业。", "数据显示，上月出口同比增长百分之八，好于预期。",
]  # fmt: skip
TRADITIONAL = [
    "某公司昨日表示，全年訂單比去年多兩成，工廠已經滿產。", "市場預計下半年需求會繼續增加，價格可能上漲。", "記者從會上獲悉，新的政策將在六月一日起施行。",
    "截至收盤，三大指數全線上漲，成交額超過一萬億元。", "業內人士認為，原材料價格下跌有利於下游企業。", "數據顯示，上月出口同比增長百分之八，好於預期。",
]  # fmt: skip
JAPANESE = [
    "同社は昨日、今年の受注が前年より二割増えたと発表した。", "工場はすでにフル稼働しており、来年は新しいラインを作る。", "市場では下半期も需要が続くとの見方が多い。",
    "政府は六月から新しい制度を始めると明らかにした。", "株価は三日続けて上昇し、取引は活発だった。", "専門家は、原料の値下がりが企業を助けると話す。",
]  # fmt: skip
KOREAN = [
    "회사는 어제 올해 주문이 지난해보다 두 배 늘었다고 밝혔다.", "공장은 이미 모두 가동 중이며 내년에 새 라인을 짓는다.", "시장에서는 하반기에도 수요가 이어질 것으로 본다.",
    "정부는 유월부터 새로운 제도를 시작한다고 말했다.", "주가는 사흘 연속 올랐고 거래도 활발했다.", "전문가들은 원료 가격 하락이 기업에 도움이 된다고 한다.",
]  # fmt: skip
LANGUAGES = {"gbk": SIMPLIFIED, "gb18030": SIMPLIFIED, "big5": TRADITIONAL, "shift_jis": JAPANESE, "euc_kr": KOREAN}


def posts(sentences: list[str]) -> list[str]:
    """Posts of many lengths, from titles of a few characters to all sentences, in other orders."""
    found = []
    for turn in range(0, len(sentences), 2):
        turned = sentences[turn:] + sentences[:turn]
        for size in (0, 3, 6, 12, 25, 60, 1000):
            body = "".join(turned)[:size]
            for title in (turned[0][:2], turned[1][:9], "Orders"):
                if title != "Orders" or body:
                    found.append(HEAD.format(title) + (f"<p>{body}</p>" if turn == 2 else body))
    return found


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_a_post_of_another_encoding_is_read_or_rejected_and_never_misread(encoding: str) -> None:
    read = rejected = 0
    for post in posts(LANGUAGES[encoding]):
        data = post.encode(encoding)
        found = decode(data)
        if found.fault is None:
            assert found == (post, ("encoding-guessed",), None)
            read += 1
        else:
            assert found.fault[0] == "encoding"
            rejected += 1
    assert read > rejected / 2
    assert rejected


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_a_whole_article_is_read(encoding: str) -> None:
    post = HEAD.format("Orders") + "\n".join(LANGUAGES[encoding])
    assert decode(post.encode(encoding)) == (post, ("encoding-guessed",), None)


@pytest.mark.parametrize("sentences", [SIMPLIFIED, TRADITIONAL, JAPANESE, KOREAN])
def test_utf_16_is_read_with_and_without_a_mark(sentences: list[str]) -> None:
    for post in posts(sentences):
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
            assert decode(post.encode(encoding)) == (post, ("encoding-utf-16",), None)
        assert decode(post.encode()) == (post, (), None)


@pytest.mark.parametrize(
    ("sentences", "encoding"),
    [
        (JAPANESE, "euc_jp"),
        (KOREAN, "johab"),
        (["Les élèves ont reçu déjà l’été dernier plusieurs prêts."] * 6, "cp1252"),
        (["Компания сообщила о росте заказов в этом году."] * 6, "cp1251"),
        (["Компания сообщила о росте заказов в этом году."] * 6, "koi8-r"),
        (["บริษัทประกาศคำสั่งซื้อเพิ่มขึ้นในปีนี้"] * 6, "tis-620"),
    ],
)
def test_other_encodings_are_not_guessed(sentences: list[str], encoding: str) -> None:
    for post in posts(sentences):
        data = post.encode(encoding)
        try:
            data.decode()
        except UnicodeDecodeError:
            found = decode(data)
            assert found.fault is not None or found.issues == ("encoding-invalid",)


def test_valid_utf_8_is_utf_8() -> None:
    data = "模型".encode("gbk")[:2]  # which is a character of UTF-8, too
    assert decode(data) == (data.decode(), (), None)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("订单增长两成，工厂已经满产。".encode()[:-1], "订单增长两成，工厂已经满产\ufffd"),
        ("订单增长两成，".encode() + b"\xb9" + "工厂已经满产。".encode(), "订单增长两成，\ufffd工厂已经满产。"),
        (b"We don\x92t know.", "We don\ufffdt know."),
        (b"A caf\xe9 in Z\xfcrich" + b" and more" * 20, "A caf\ufffd in Z\ufffdrich" + " and more" * 20),
        (b"broken \xff\xff" + b" and more" * 20, "broken \ufffd\ufffd" + " and more" * 20),
    ],
)
def test_a_few_bytes_that_are_not_utf_8_become_a_mark(data: bytes, text: str) -> None:
    assert decode(data) == (text, ("encoding-invalid",), None)


@pytest.mark.parametrize(
    "data",
    [
        b"words in English " * 40 + "增长".encode("gbk"),
        b"words in English " * 40 + "テスト".encode("shift_jis"),
        b"words in English " * 40 + "上か".encode("big5"),
        b"words in English " * 40 + "한".encode("gb18030"),
        "增长两成".encode("gbk"),
    ],
)
def test_a_few_characters_of_another_encoding_are_no_damage(data: bytes) -> None:
    found = decode(data)
    assert found.fault is not None
    assert found.fault[0] == "encoding"


def test_a_guess_needs_some_characters() -> None:
    text = "同社の受注が増えた"
    assert decode(text[: FEWEST - 1].encode("shift_jis")).fault is not None
    assert decode(text.encode("shift_jis")).issues == ("encoding-guessed",)


def test_characters_without_a_meaning_are_not_guessed() -> None:
    data = "订单增长两成，工厂已经满产。\ue5e5明年还要扩建厂房。".encode("gb18030")
    assert decode(data).fault is not None


def test_control_characters_of_windows_1252_become_what_was_typed() -> None:
    assert decode("\x93it\x92s\x94 \x96 5\x80\x85\x81".encode()) == ("“it’s” – 5€…\x81", ("windows-1252",), None)
    assert decode("it\x92s".encode("utf-16")) == ("it’s", ("encoding-utf-16", "windows-1252"), None)


@pytest.mark.parametrize(
    "unit", [b"\xb6\xa9\xb5\xa5 ", b"\x81", b"\xa1\x40", b"\0-", b"-\0", b"\xef\xbf\xbd\xff", b"\xff"]
)
def test_time_is_linear(unit: bytes) -> None:
    """Ten times as much; if the time were quadratic, it would be a hundred times."""

    def read(times: int) -> None:
        decode(unit * times)

    assert growth(read, 20_000, 200_000, limit=40) < 40
