"""Hypothesis strategies for posts: front matter and bodies from pieces that are hard to read."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["PATHS", "files"]

PATHS = st.sampled_from(
    [
        "_posts/2022-03-01-202203010000000001.md", "old_post/2022-03-01-NW202203010000000001.md", "_posts/2022-03-01-a.md",
        "blog/_posts/2022-03-01-b.html", "_drafts/c.txt", "_posts/2022-13-41-.markdown",
    ]
)  # fmt: skip
"""Paths of posts: of the archive's two feeds, and of other sites, as Markdown, HTML and text."""

_VALUES = st.sampled_from(
    [
        '"甲乙丙"',
        '"a "b" c"',
        "",
        "~",
        "[a, b]",
        "{a: b}",
        "*x",
        "&x y",
        "!!python/name:os.system",
        "1.10",
        "no",
        "0755",
        "@新闻",
        "2022-03-01 08:00:00 +0800",
        "2022-02-30",
        "0000-00-00",
        "99999-01-01",
        "2022-03-01 25:61:61 +9999",
        " +0800",
        "|\n  a\n  b",
    ]
) | st.text(max_size=20)
_LINES = st.tuples(
    st.sampled_from(["layout", "title", "date", "categories", "category", "tags", "tag", "published", "draft", "<<", "x"]), _VALUES
).map(lambda pair: f"{pair[0]}: {pair[1]}\n")  # fmt: skip
_FRONTS = st.lists(_LINES | st.sampled_from(["---\n", "...\n", "\n", "# a\n", "- a\n", "\t", "? "]), max_size=8).map(
    "".join
)
_PIECES = st.sampled_from(
    [
        "\n", "\n\n", "> ", "<p>", "</p>", "<br>", "<strong>", "</strong>", "<!--", "-->", "<script>", "</script>", "<style>",
        "<svg>", "<iframe src=x>", "<center><img src='a?b=1&c=2'></center>", "&lt;", "&#x110000;", "&#0;", "&amp", "<>",
        "<http://news.example/1.html>\n", "[返回](./)", "[a]: /b\n", "![", "](", "**", "`", "```\n", "    ", "- ", "|a|\n|-|\n|b|",
        "（文章来源：", "）", '<p class="em_media">', '<span id="stock_1.600000">', '<a class="keytip" data-code="1,600000">', "</a>",
        '<span class="em_stock_key_common" data-code="106,NIO">', "<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->",
        "甲乙丙", "(600000)", "　", "\u200b", "\u202e", "\x00", "\x1b[31m", "\r", "\u2028", "<table><tr><td>", "{% x %}", "{{", "{: .a}",
        "𠮷", "e\u0301", "\ue000", "\ufffd", "<" * 50, "[" * 50, "<div>" * 50,
    ]
)  # fmt: skip
_BODIES = st.lists(_PIECES | st.text(max_size=10), max_size=40).map("".join)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """The bytes of a post, sound or broken: with or without `---` lines, in several encodings, with some bytes replaced."""
    front, body = draw(_FRONTS), draw(_BODIES)
    text = draw(
        st.sampled_from(["---\n{}---\n{}", "\n---\n{}---\n{}", "---\n{}{}", "{1}", "\ufeff---\n{}---\n{}"])
    ).format(front, body)
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-16", "gb18030"]))
    data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=8)) + data[at + draw(st.integers(0, 8)) :]
    return data
