"""Repair HTML that was cut off, left open or never escaped, without losing its text."""

from __future__ import annotations

import re
from html import escape

from .html_tags import ELEMENTS, Action

__all__ = ["repair_html"]

_ATTRIBUTES = r"""((?:[^<>"']++|"[^"%s]*+"(?=[\s/>])|'[^'%s]*+'(?=[\s/>])|["'])*+)"""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)(?=[\s/>])" + _ATTRIBUTES % ("<", "<") + ">")
_TAG_WITH_LESS_THAN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)(?=[\s/>])" + _ATTRIBUTES % ("", "") + ">")
_MAX_FAILURES = 20  # of that pattern in one body: each failure can cost a look at all of the rest
_CUT_TAG = re.compile(
    r"""<(/?)([A-Za-z][A-Za-z0-9]*+|)((?:\s++|/|[A-Za-z_:@][A-Za-z0-9_:@.-]*+
        (?:=(?:"[^"<]*+"|'[^'<]*+'|["']?[^\s"'<>]*+))?)*+)""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([A-Za-z_:@][A-Za-z0-9_:@.-]*+)(?:\s*+=\s*+("[^"]*+"(?=[\s/]|$)|'[^']*+'(?=[\s/]|$)|["']?[^\s"'<>]*+))?"""
)
_CUT_VALUE = re.compile(r"""=["'][^"']*+$""")
_NO_ATTRIBUTE = re.compile(r"""[^\s/"']""")
_AUTOLINK = re.compile(r"<((?:https?:)?//[^\s<>]+)>")
_DECLARATION = re.compile(r"<[!?][^<>]*+>|</>")
_KEPT_COMMENTS = ("EM_StockImg_Start", "EM_StockImg_End")
_ENDS = {  # end tags of elements that are not text
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>", re.IGNORECASE | re.ASCII)
    for name, action in ELEMENTS.items()
    if action in (Action.RAW, Action.DROPPED)
}
_CODE = ("script", "style")
_LIKE_PRE = ("xmp", "plaintext")  # their content is not HTML either; without an end tag it would run to the end
_PREFIXES = frozenset(name[:length] for name in ELEMENTS for length in range(len(name) + 1))


def repair_html(html: str) -> tuple[str, bool]:
    """Escape every `<` that does not start a tag. Returns the body, and whether it was broken.

    Tags that are cut off or left open are closed or dropped, so that no text vanishes in them. A name that HTML does
    not have is text, as written. Addresses in `<>` become links. Comments and elements without text (scripts, for
    example) are left out. Every tag of the outcome is one that `newsdata.parsing.html_tags.read_tag` reads. Takes
    linear time.

    >>> repair_html("<p>up <5%, a<b, <b>bold</b> <img src='x.png' ")
    ('<p>up &lt;5%, a&lt;b, <b>bold</b> <img src="x.png">', True)
    """
    out: list[str] = []
    broken = no_comment_end = False
    failures = 0
    ends: dict[str, tuple[int, int]] = {}
    last = len(html.rstrip())
    done = 0
    while (at := html.find("<", done)) >= 0:
        out.append(html[done:at])
        done = at + 1
        if html.startswith("<!--", at):
            end = -1 if no_comment_end else html.find("-->", at + 4)
            no_comment_end = end < 0
            broken = broken or no_comment_end
            comment, done = _comment(html, at, end)
            out.append(comment)
            continue
        link = _AUTOLINK.match(html, at)
        if link is not None:
            done = link.end()
            url = escape(link[1].replace("&amp;", "&"))
            out.append(f'<a href="{url}">{url}</a>')
            continue
        tag = _TAG.match(html, at)
        if tag is None and failures < _MAX_FAILURES and html[done : done + 1].isalpha():
            tag = _TAG_WITH_LESS_THAN.match(html, at)
            failures += tag is None
        written = _tag(tag) if tag is not None else None
        if tag is not None and written is not None:
            skipped = _skip_element(html, tag, ends) if tag[2].lower() in _ENDS else None
            if skipped is not None:
                done, whole = skipped
                broken = broken or not whole
                continue
            done = tag.end()
            out.append(written)
            broken = broken or tag[3].count('"') % 2 > 0
        elif (declaration := _DECLARATION.match(html, at)) is not None:
            done = declaration.end()
        else:
            broken = True
            repaired, done = _cut_tag(html, at, last) or ("&lt;", done)
            out.append(repaired)
    out.append(html[done:])
    return "".join(out), broken


def _comment(html: str, at: int, end: int) -> tuple[str, int]:
    """What to write for a comment that starts at `at`, and where to go on; `end` is where its `-->` is, -1 for none."""
    if end < 0:
        cut_off = len(html) - at < 100 and "<" not in html[at + 1 :]
        return "", len(html) if cut_off else at + 4
    name = html[at + 4 : end].strip() if end - at < 100 else ""
    return f"<!--{name}-->" if name in _KEPT_COMMENTS else "", end + 3


def _skip_element(html: str, tag: re.Match[str], ends: dict[str, tuple[int, int]]) -> tuple[int, bool] | None:
    """Where an element ends that is left out with its content, and whether it is sound; None if its tag can stay.

    Args:
        html: the body.
        tag: its start tag, or an end tag without one.
        ends: for each name, where its next end tag begins and ends, as far as it is known. What is found is added.
    """
    name, end = tag[2].lower(), tag.end()
    is_html = ELEMENTS[name] is not Action.RAW and name != "svg"
    closes_itself = tag[3].endswith("/")
    if is_html and (tag[1] or closes_itself):
        return None
    if tag[1]:
        return end, False
    if name == "svg" and closes_itself:
        return end, True
    if name not in ends or ends[name][0] < end:
        found = _ENDS[name].search(html, end)
        ends[name] = found.span() if found else (len(html), -1)
    close = ends[name][1]
    if close >= 0:
        return None if is_html else (close, True)
    return len(html) if name in _CODE and not closes_itself else end, False


def _tag(tag: re.Match[str]) -> str | None:
    """The tag with its attributes in quotes; None if HTML does not have this name, or if these are not attributes."""
    name = tag[2].lower()
    if name in _LIKE_PRE:
        name = "pre"
    if name not in ELEMENTS:
        return "" if ":" in name or "-" in name else None
    if not tag[3]:
        return f"<{tag[1]}{name}>"
    if _NO_ATTRIBUTE.search(_ATTRIBUTE.sub("", tag[3])):
        return None
    return f"<{tag[1]}{name}{_attributes(tag[3])}>"


def _attributes(written: str) -> str:
    out = []
    for name, value in _ATTRIBUTE.findall(written):
        quote = value[:1]
        if quote in ('"', "'"):
            value = value[1:-1] if len(value) > 1 and value[-1] == quote else value[1:]
        value = value.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        out.append(f' {name}="{value}"' if value else f" {name}")
    end = "/" if written.endswith("/") else ""
    return "".join(out) + end


def _cut_tag(html: str, at: int, last: int) -> tuple[str, int] | None:
    """What to write for a tag without its `>`, and where it ends; None if the `<` is text.

    Args:
        html: the body.
        at: where the `<` is.
        last: where the body ends, without white space.
    """
    cut = _CUT_TAG.match(html, at)
    if cut is None:
        return None
    name = cut[2].lower()
    end = cut.end()
    action = ELEMENTS.get(name)
    if action is Action.RAW:
        action = None
    if action is not None and "=" in cut[3]:
        # A value without its closing quote may be cut off, so it is dropped.
        whole = _CUT_VALUE.sub("", cut[3].rstrip().removesuffix("/"))
        return f"<{cut[1]}{name}{_attributes(whole)}>", end
    if end >= last:
        if cut[1]:
            return "", end
        # `a<b` at the very end is more likely a comparison than a tag that was cut off after its first letter.
        glued = at > 0 and not html[at - 1].isspace() and html[at - 1] != ">"
        compared = glued and len(name) < 2 and not (name == "a" and cut[3].strip())
        return None if compared or name not in _PREFIXES else ("", end)
    if html[end] == "<" and action is not None and (cut[1] or (action >= Action.BLOCK and len(name) > 1)):
        return f"<{cut[1]}{name}>", end
    return None
