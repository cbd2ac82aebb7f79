"""HTML that was cut, left open or never escaped, made readable without losing its text."""

from __future__ import annotations

import re
from html import escape

from .html_tags import ELEMENTS, Action

__all__ = ["repaired"]

_ATTRIBUTES = r"""((?:[^<>"']++|"[^"%s]*+"(?=[\s/>])|'[^'%s]*+'(?=[\s/>])|["'])*+)"""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)(?=[\s/>])" + _ATTRIBUTES % ("<", "<") + ">")
_TAG_HOLDING_LESS = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)(?=[\s/>])" + _ATTRIBUTES % ("", "") + ">")
_HOLDING_LESS = 20  # how often that one may fail in one body: it can look at all of the rest each time
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
_ENDS = {  # of the elements whose content is not HTML
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>", re.IGNORECASE | re.ASCII)
    for name, action in ELEMENTS.items()
    if action is Action.RAW or name == "svg"
}
_CODE = ("script", "style")
_PREFIXES = frozenset(name[:length] for name in ELEMENTS for length in range(len(name) + 1))


def repaired(html: str) -> tuple[str, bool]:
    """The same body with every `<` escaped that is no tag, and whether it was broken.

    Cut and unclosed tags are closed or dropped, so that no text vanishes in them; a name that HTML does not
    have is text, as written; addresses in `<>` become links; comments and elements without text (scripts)
    are left out. What comes out holds only tags that `newsdata.parsing.html_tags` reads. Takes linear time.

    >>> repaired("<p>up <5%, a<b, <b>bold</b> <img src='x.png' ")
    ('<p>up &lt;5%, a&lt;b, <b>bold</b> <img src="x.png">', True)
    """
    out: list[str] = []
    broken = no_comment_end = False
    budget = _HOLDING_LESS
    unclosed: set[str] = set()
    last = len(html.rstrip())
    done = 0
    while (at := html.find("<", done)) >= 0:
        out.append(html[done:at])
        done = at + 1
        if html.startswith("<!--", at):
            end = -1 if no_comment_end else html.find("-->", at + 4)
            if end < 0:
                broken = no_comment_end = True
                cut = len(html) - at < 100 and "<" not in html[at + 1 :]
                done = len(html) if cut else at + 4
                continue
            done = end + 3
            name = html[at + 4 : end].strip() if end - at < 100 else ""
            if name in _KEPT_COMMENTS:
                out.append(f"<!--{name}-->")
            continue
        link = _AUTOLINK.match(html, at)
        if link is not None:
            done = link.end()
            url = escape(link[1].replace("&amp;", "&"))
            out.append(f'<a href="{url}">{url}</a>')
            continue
        tag = _TAG.match(html, at)
        if tag is None and budget and html[done : done + 1].isalpha():
            tag = _TAG_HOLDING_LESS.match(html, at)
            budget -= tag is None
        written = _tag(tag) if tag is not None else None
        if tag is not None and written is not None:
            done = tag.end()
            name = tag[2].lower()
            if name in _ENDS:
                if tag[1]:
                    broken = True
                elif not (name == "svg" and tag[3].endswith("/")):
                    close = None if name in unclosed else _ENDS[name].search(html, done)
                    if close is not None:
                        done = close.end()
                        continue
                    unclosed.add(name)
                    broken = True
                    if name in _CODE and not tag[3].endswith("/"):
                        done = len(html)
                continue
            out.append(written)
            broken = broken or tag[3].count('"') % 2 > 0
        elif (declaration := _DECLARATION.match(html, at)) is not None:
            done = declaration.end()
        else:
            broken = True
            ending = _cut_tag(html, at, last)
            if ending is None:
                out.append("&lt;")
            else:
                out.append(ending[0])
                done = ending[1]
    out.append(html[done:])
    return "".join(out), broken


def _tag(tag: re.Match[str]) -> str | None:
    """The tag with its attributes in quotes; None where HTML has no such name or attributes."""
    name = tag[2].lower()
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
    """What to write for a tag that ends without its `>`, and where it ends; None for a `<` that is text."""
    cut = _CUT_TAG.match(html, at)
    if cut is None:
        return None
    name = cut[2].lower()
    end = cut.end()
    action = ELEMENTS.get(name)
    if action is Action.RAW:
        action = None
    if action is not None and "=" in cut[3]:
        # a value that nothing closes may be cut itself: it is dropped
        whole = _CUT_VALUE.sub("", cut[3].rstrip().removesuffix("/"))
        return f"<{cut[1]}{name}{_attributes(whole)}>", end
    if end >= last:
        if cut[1]:
            return "", end
        # `a<b` at the very end is more likely a comparison than a tag that was cut behind its first letter
        glued = at > 0 and not html[at - 1].isspace() and html[at - 1] != ">"
        compared = glued and len(name) < 2 and not (name == "a" and cut[3].strip())
        return None if compared or name not in _PREFIXES else ("", end)
    if html[end] == "<" and action is not None and (cut[1] or (action >= Action.BLOCK and len(name) > 1)):
        return f"<{cut[1]}{name}>", end
    return None
