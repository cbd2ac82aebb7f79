"""The command `show`: rows to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..counts import plural
from .options import VERSION, WholeNumber, json_option, revision_option
from .output import Line, Styled, columns, print_json, printable, say, say_wrapped
from .table import cut, parts_between, width_of, wrap

if TYPE_CHECKING:
    from ..dataset.show import Shown, ShownRow

__all__ = ["show"]

_WIDTH = 80  # of lines where stdout is no terminal
_EXCERPT = 3  # lines of an article's text
_ITEMS = 5  # items of a list that a line names
_LONG = ("title", "digest", "text")  # columns that are not printed as fields
_NAMES_OF_ITEMS = ("path", "url", "sha256")  # what an item of a list is called by


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.argument("article_id", metavar="[ID]", required=False)
@click.option("--grep", metavar="WORD", help="Only articles with WORD in title, digest or text, written just so.")
@click.option("-n", "n", metavar="N", type=WholeNumber(1, 1000), default=5, show_default=True, help="How many.")
@click.option("--split", help="Only train, validation, test, newer or excluded (default: all but excluded).")
@revision_option
@json_option
def show(
    directory: str, article_id: str | None, grep: str | None, n: int, split: str | None, revision: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Print a few articles, those with a word, or one.

    Without ID and --grep, N articles are printed that are spaced evenly over the version: the same ones each time. With --grep
    these are the first N that hold WORD, by split and time; WORD is no pattern, one character is enough, and the exit code is
    1 if no article holds it. With ID one article is printed whole, also an excluded one; the path of a post works, too.
    """
    from ..dataset.show import show as find

    word = None if grep is None else os.fsencode(grep).decode("utf-8", "replace")  # a locale of ASCII leaves bytes
    found = find(directory, article_id, grep=word, n=n, split=split, revision=revision)
    if as_json:
        print_json(found)
    elif article_id is not None:
        say(*_whole(found, found.rows[0], word))
    else:
        for row in found.rows:
            say(*_short(found, row, word), "")
        say_wrapped("", _count(found, word, split))
    if found.matching == 0:
        raise click.exceptions.Exit(1)


def _count(found: Shown, word: str | None, split: str | None) -> str:
    """What was printed, of how much."""
    shown, of, there = len(found.rows), found.of, split or found.version
    if not of:
        why = "" if split else "; `newsdata info` shows what became of the files"
        return f"no article in {there}{why}"
    if word is not None:
        if not found.matching:
            return f'no article of {there} holds "{word}"'
        if shown < found.matching:
            return f'the first {shown:,} of {plural(found.matching, "article")} in {there} that hold "{word}"'
        holds = "holds" if found.matching == 1 else "hold"
        return f'{plural(found.matching, "article")} of {of:,} in {there} {holds} "{word}"'
    told = f"{shown:,} of {plural(of, 'article')} in {there}, spaced evenly"
    if shown == of:
        told = f"all {plural(of, 'article')} in {there}" if of > 1 else f"1 article in {there}"
    has_text = any(row.row.get(column) for row in found.rows for column in _LONG)
    return f"{told}; " + ("with an ID, one is printed whole" if has_text else "this version has no text")


def _short(found: Shown, row: ShownRow, word: str | None) -> Iterator[Line]:
    """Title, facts and the first lines of one article, or those around the first hit."""
    width = columns() or _WIDTH
    values = row.row
    yield from _wrapped(_title(values, word), width, "")
    facts = [
        _moment(values.get("published_at"), found.timezone, "minutes") or "no date",
        f"excluded: {values['excluded_reason']}" if values.get("excluded_reason") else row.split,
        plural(values["num_chars"], "character") if values.get("num_chars") is not None else "",
        _id(values) if values.get("title") else "",
    ]
    publisher = cut(printable(values.get("media") or values.get("source") or ""), width - 2)
    for line in _flowing([*(printable(fact) for fact in facts if fact), *filter(None, [publisher])], width - 2):
        yield ["  ", Styled(line, "quiet")]
    yield from _excerpt(values, word, width)


def _whole(found: Shown, row: ShownRow, word: str | None) -> Iterator[Line]:
    """All of one article: title, fields, digest, text."""
    width = columns() or _WIDTH
    values = row.row
    yield from _wrapped(_title(values, word), width, "")
    yield ""
    fields = {"split": row.split, "shard": row.shard}
    fields |= {name: _field(values, name, found.timezone) for name in values if name not in _LONG}
    longest = max(map(width_of, fields))
    for name, told in fields.items():
        if told:
            room = width - longest - 4 if " " in told else width_of(told)  # an address is not broken
            for number, line in enumerate(_wrapped([Styled(told)], room, "")):
                label = "" if number else name
                yield [Styled(f"  {label:{longest}}  ", "quiet"), *line]
    for column in ("digest", "text"):
        if values.get(column):
            yield ""
            yield [Styled(f"  {column}", "quiet")]
            for paragraph in values[column].split("\n"):
                yield from _wrapped(_marked(paragraph, word), width, "  ") if paragraph else [""]
    if not any(values.get(column) for column in _LONG):
        yield ""
        yield "  this version has no text; `newsdata rehydrate` makes the one with text"


def _id(values: dict[str, Any]) -> str:
    return str(values.get("article_id") or "an article without an id")


def _title(values: dict[str, Any], word: str | None) -> list[Styled]:
    """The title in its style, with the hits marked; the id stands for one that is missing."""
    parts = _marked(values.get("title") or _id(values), word)
    return [Styled(text, style or "head") for text, style in parts]


def _excerpt(values: dict[str, Any], word: str | None, width: int) -> Iterator[Line]:
    """The first lines of the text, or those around the first hit."""
    columns_of_text = [values[name] for name in ("text", "digest") if values.get(name)]
    if not columns_of_text:
        return
    text = next((one for one in columns_of_text if word and word in one), columns_of_text[0])
    parts = _marked(text, word)
    whole = "".join(part.text for part in parts)
    lines = wrap(whole, width - 2 - len(printable("…")))
    hit = 0
    for part in parts:
        if part.style:
            break
        hit += len(part.text)
    at = next((number for number, (_, end) in enumerate(lines) if hit < end), 0)
    first = max(min(at - 1, len(lines) - _EXCERPT), 0)
    chosen = lines[first : first + _EXCERPT]
    for number, (start, end) in enumerate(chosen):
        before = "…" if not number and first else ""
        after = "…" if number + 1 == len(chosen) and first + len(chosen) < len(lines) else ""
        yield ["  ", before, *parts_between(parts, start, end), after]


def _marked(text: str, word: str | None) -> list[Styled]:
    """A text as it is printed, in parts: the places where a word stands are marked."""
    pieces = text.split(word) if word else [text]
    parts = [Styled(printable(pieces[0].replace("\n", " ")))]
    for piece in pieces[1:]:
        parts += [Styled(printable(word or ""), "mark"), Styled(printable(piece.replace("\n", " ")))]
    return [part for part in parts if part.text]


def _wrapped(parts: Sequence[Styled], width: int, indent: str) -> Iterator[list[str | Styled]]:
    """Parts of a line on lines of at most `width` columns."""
    whole = "".join(part.text for part in parts)
    for start, end in wrap(whole, max(width - len(indent), 8)):
        yield [indent, *parts_between(parts, start, end)]


def _flowing(words: Sequence[str], width: int) -> list[str]:
    """Words, two blanks apart, on lines of at most `width` columns."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}  {word}" if lines[-1] else word
        if lines[-1] and width_of(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _moment(value: datetime | None, zone: str, precision: str) -> str:
    """A time in the site's zone; "" if it is unknown."""
    if value is None:
        return ""
    from zoneinfo import ZoneInfo  # takes longer to load than everything else that --help needs

    with suppress(OverflowError):  # the last or first day of all
        value = value.astimezone(ZoneInfo(zone))
    told = value.isoformat(" ", precision)
    return told[:16] if precision == "minutes" else told


def _field(values: dict[str, Any], name: str, zone: str) -> str:
    """A column of a row in a line; "" if it holds nothing."""
    value = values[name]
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return printable(_moment(value, zone, "seconds"))
    if isinstance(value, list):
        names = [found for item in value if (found := _name(item, values.get("text") or ""))]
        names = list(dict.fromkeys(names)) or [plural(len(value), "item")]
        more = f", … ({len(value):,} in all)" if len(names) > _ITEMS else ""
        return printable(", ".join(names[:_ITEMS]) + more)
    return printable(str(value))


def _name(item: Any, text: str) -> str:
    """How an item of a list is named: by itself, or by one of its fields, or by the part of the text that it marks."""
    if not isinstance(item, dict):
        return str(item)
    if isinstance(start := item.get("start"), int) and isinstance(end := item.get("end"), int) and text[start:end]:
        return text[start:end]
    name = next((name for name in _NAMES_OF_ITEMS if item.get(name) is not None), None)
    return f"{item[name]:.16}…" if name == "sha256" else str(item[name]) if name else ""
