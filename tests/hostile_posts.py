"""Hostile posts: they try to exhaust, escape or mislead the parser."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CONFIGS", "HUGE_POSTS", "POSTS"]

_LISTS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
_MERGES = "m0: &m0 {title: x}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}]}}\n" for i in range(1, 12)
)

_FRONTS: Mapping[str, str] = {
    "alias-bomb": f"{_LISTS}tags: *a11",
    "alias-bomb-title": f"{_LISTS}title: *a11",
    "merge-bomb": f"{_MERGES}<<: *m11",
    "merge-itself": "a: &a {<<: *a}\n<<: *a",
    "alias-itself": "tags: &a [*a, *a]",
    "open-brackets": "a: " + "[" * 20_000,
    "open-braces": "{a: " * 20_000,
    "dashes": "- " * 20_000,
    "question-marks": "? " * 20_000,
    "python-object": "title: !!python/object/apply:os.system ['touch pwned']",
    "python-name": "title: !!python/name:os.system",
    "python-module": "tags: !!python/object/new:subprocess.Popen [[touch, pwned]]",
    "ruby-object": "title: !ruby/object:Gem::Installer\n  i: x",
    "many-keys": "".join(f"k{i}: v\n" for i in range(30_000)),
    "one-key-often": "title: x\n" * 30_000,
    "quotes": 'title: "' + 'a "' * 30_000,
    "colons": "a: " * 30_000,
    "digits": "date: " + "9" * 100_000,
    "a-year-too-far": "date: 999999999-01-01 00:00:00 +0800",
    "zone-too-far": "date: 0001-01-01 00:00:00 +2300",
    "title-of-controls": 'title: "\x01\x02\x1b[31mred\x1b]0;owned\x07"',
    "title-of-bidi": 'title: "\u202e\u2066reversed"',
    "surrogate-escape": r'title: "\ud800 alone"',
    "escape-beyond-unicode": r'title: "\U00110000"',
    "huge-escape": 'title: "' + "\\u4e2d" * 30_000 + '"',
    "numbers-for-text": "title: 1e999999\ntags: [0x7fffffffffffffffffff, .nan, -.inf]",
    "template": "title: '{{ site.posts | inspect }}{% include_relative ../../../etc/passwd %}'",
}

_BODIES: Mapping[str, str] = {
    "deep-divs": "<div>" * 100_000,
    "deep-and-closed": "<b>" * 100_000 + "x" + "</b>" * 100_000,
    "deep-lists": "<ul><li>" * 50_000,
    "deep-tables": "<table><tr><td>" * 33_000,
    "unclosed-everything": "<p><a href='x><b <i><!-- <script><style><![CDATA[ <?php <table " * 500,
    "giant-attribute": f'<p class="{"x" * 2_000_000}">after</p>',
    "giant-attribute-open": f'<p class="{"x" * 1_000_000}',
    "many-attributes": "<p " + " ".join(f"a{i}='{i}'" for i in range(50_000)) + ">after</p>",
    "giant-tag-name": f"<{'x' * 1_000_000}>after",
    "script": "<p>before</p><script>document.write('INJECTED')</script><p>after</p>",
    "script-open": "<p>before</p><script>document.write('INJECTED')",
    "style": "<p>before</p><style>p{background:url(INJECTED)}</style><p>after</p>",
    "iframe": "<p>before</p><iframe src='file:///etc/passwd'>INJECTED</iframe><p>after</p>",
    "svg": "<p>before</p><svg onload='INJECTED()'><script>INJECTED</script><text>t</text></svg><p>after</p>",
    "addresses-that-run": "<p><a href='javascript:INJECTED'>one</a><a href=' jAvA\tscript:INJECTED'>two</a></p>",
    "template-tags": "{% include ../../../etc/passwd %}{{ 'x' | system }}<p>after</p>",
    "entities-beyond-unicode": "<p>&#x110000;&#99999999999999;&#xD800;&#0;&#-1;&notanentity;&#x;</p>",
    "entities-endless": "<p>" + "&amp" * 100_000 + "&#" + "9" * 100_000 + "</p>",
    "comments": "<!--" * 50_000,
    "comment-ends": "<!-- -- -->" * 30_000 + "--!>",
    "angle-brackets": "<" * 300_000,
    "ampersands": "&" * 300_000,
    "open-square": "[" * 20_000,
    "links-in-links": "[" * 5_000 + "a" + "](b)" * 5_000,
    "pictures": "![" * 20_000,
    "stars": "*a **b " * 20_000,
    "backticks": "".join("`" * i + " " for i in range(1, 700)),
    "quote-marks": "> " * 20_000 + "deep",
    "list-marks": "- " * 20_000 + "deep",
    "indents": "".join(" " * (2 * i) + "- a\n" for i in range(700)),
    "link-definitions": "".join(f"[a{i}]: /b\n" for i in range(20_000)) + "[a1]" * 5_000,
    "table-cells": "|a" * 20_000 + "\n" + "|-" * 20_000 + "\n" + "|b" * 20_000,
    "braces": "{{" * 50_000 + "{%" * 50_000 + "{:" * 50_000,
    "mentions-nested": '<span id="stock_1.600000"><a class="keytip" data-code="1,600000">' * 20_000 + "甲",
    "mention-code": '<p><a class="keytip" data-code="99999999999999999999,00">甲</a>乙</p>',
    "mention-long": f'<p><a class="keytip" data-code="1,{"9" * 100_000}">甲</a></p>',
    "codes": "(600000)" * 50_000,
    "brackets-of-codes": "(" * 100_000 + "600000" + ")" * 100_000,
    "blanks": " \t\u3000" * 200_000,
    "line-ends": "\n" * 500_000,
    "carriage-returns": "\r" * 100_000,
    "combining": "e" + "\u0301" * 200_000,
    "source-lines": "（文章来源：" * 20_000,
    "addresses": "<http://news.example/" * 20_000,
    "an-address-without-end": f"<http://news.example/{'a' * 1_000_000}",
    "nav": "[返回](./) ｜ " * 20_000,
}

_HEAD = (
    '---\nlayout: post\ntitle: "敌意"\ndate: 2022-03-02 08:00:00 +0800\ncategories: emnews\ntags: 东财滚动新闻\n---\n'
)

_WHOLE: Mapping[str, bytes] = {
    "nothing": b"",
    "zero-bytes": b"\0" * 10_000,
    "zero-inside": (_HEAD + "前\0后\n").encode(),
    "random": bytes(range(256)) * 500,
    "latin-1": _HEAD.replace("敌意", "caf\xe9" * 40).encode("latin-1", "replace"),
    "gbk": _HEAD.encode("gbk") + "<p>编码不同的正文，很长很长。</p>".encode("gbk") * 20,
    "one-bad-byte": _HEAD.encode() + b"<p>a\xffb</p>",
    "overlong": _HEAD.encode() + b"<p>\xc0\xaf\xe0\x80\xaf\xf4\x90\x80\x80</p>",
    "surrogates": _HEAD.encode() + b"<p>" + b"\xed\xa0\x80" * 50 + b"</p>",
    "utf-16": _HEAD.encode("utf-16"),
    "utf-16-cut": _HEAD.encode("utf-16")[:-1],
    "utf-32": _HEAD.encode("utf-32"),
    "marks-only": b"\xef\xbb\xbf" * 1_000,
    "two-marks": b"\xef\xbb\xbf\xef\xbb\xbf" + _HEAD.encode(),
    "unclosed-front": b"---\ntitle: x\n" + b"a" * 100_000,
    "dashes-only": b"---\n" * 50_000,
    "dashes": b"-" * 1_000_000,
    "elf": b"\x7fELF" + b"\x02" * 4_000,
    "zip": b"PK\x03\x04" + b"\x00" * 4_000,
}


def _posts() -> dict[str, bytes]:
    """Each front matter and body as a post of the archive's feeds and of another site, as Markdown and HTML."""
    found = {}
    number = 0
    for name, front in _FRONTS.items():
        number += 1
        data = f"---\n{front}\n---\n<p>正文。</p>\n".encode("utf-8", "surrogatepass")
        found[f"_posts/2022-03-02-{name}.md"] = data
        found[f"_posts/2022-03-02-NW20220302{number:010d}.md"] = data
    for name, body in _BODIES.items():
        number += 1
        data = (_HEAD + body).encode("utf-8", "surrogatepass")
        found[f"_posts/2022-03-02-{name}.md"] = data
        found[f"old_post/2022-03-02-{name}.html"] = data
        found[f"_posts/2022-03-02-20220302{number:010d}.md"] = data
    for name, data in _WHOLE.items():
        number += 1
        found[f"_posts/2022-03-02-whole-{name}.md"] = data
        found[f"_posts/2022-03-02-20220302{number:010d}.md"] = data
    return found


POSTS: Mapping[str, bytes] = _posts()
"""The bytes of each hostile post, by its path in a site."""

CONFIGS: Mapping[str, bytes] = {
    "nothing": b"",
    "list": b"- a\n- b\n",
    "scalar": b"text",
    "zero-bytes": b"\0\0\0\0",
    "not-utf-8": b"timezone: Asia/Shanghai\ntitle: \xff\xfe\n",
    "utf-16": "timezone: Asia/Shanghai\n".encode("utf-16"),
    "alias-bomb": f"{_LISTS}exclude: *a11\n".encode(),
    "merge-bomb": f"{_MERGES}<<: *m11\n".encode(),
    "python-object": b"timezone: !!python/object/apply:os.system ['touch pwned']\n",
    "brackets": b"defaults: " + b"[" * 20_000,
    "zone-that-leads-out": b"timezone: ../../../../etc/passwd\n",
    "zone-that-is-absolute": b"timezone: /etc/passwd\n",
    "zone-that-is-a-list": b"timezone: [a, b]\n",
    "globs": b"exclude: ['" + b"*a" * 50 + b"b']\ndefaults: [{scope: {path: '" + b"*a" * 30 + b"b'}, values: {tags: x}}]\n",
    "collections-dir-that-leads-out": b"collections_dir: ../../..\n",
    "source-elsewhere": b"source: /etc\ndestination: /\nplugins_dir: /tmp\n",
    "defaults-of-odd-types": b"defaults: [1, {scope: 2}, {values: 3}, {scope: {path: [x]}, values: {title: {a: b}, date: [1]}}]\n",
    "defaults-without-end": b"defaults:\n" + b"- {scope: {path: a}, values: {tags: x}}\n" * 3_000,
    "megabytes": b"# " + b"x" * 3_000_000,
}  # fmt: skip
"""Hostile `_config.yml` files, by what is wrong with them."""

HUGE_POSTS: Mapping[str, bytes] = {
    "one-line": _HEAD.encode() + b"<p>" + b"x" * 100_000_000,
    "one-front-line": b"---\ntitle: " + b"x" * 60_000_000 + b"\n---\nx",
    "below-the-limit": _HEAD.encode() + b"<p>" + "长".encode() * 20_000_000,
    "divs-below-the-limit": _HEAD.encode() + b"<div>" * 12_000_000,
    "angles-below-the-limit": _HEAD.encode() + b"<" * 60_000_000,
    "blanks-below-the-limit": _HEAD.encode() + b" \t" * 30_000_000,
    "lines-below-the-limit": _HEAD.encode() + b"a\n" * 30_000_000,
}
"""Posts of 60 to 100 MB."""
