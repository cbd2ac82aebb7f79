"""Print for people and for machines: text that no terminal is harmed by, JSON, and log lines.

Colours are used on a terminal only, and never when NO_COLOR is set or TERM is "dumb".
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any, NamedTuple

import click

from ..errors import shown

__all__ = [
    "Line",
    "Styled",
    "ask",
    "columns",
    "complain",
    "complain_about_call",
    "log_to_stderr",
    "make_foreign_messages_safe",
    "print_json",
    "printable",
    "say",
    "say_wrapped",
    "warn",
]

_WIDEST = 120  # columns of a terminal that lines take; longer lines are hard to read

_STYLES: Mapping[str, Mapping[str, Any]] = {
    "head": {"bold": True},
    "quiet": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "mark": {"fg": "black", "bg": "yellow"},
}

_PLAIN = str.maketrans({"…": "...", "→": "->", "├": "|", "└": "`", "─": "-"})
"""Our own signs that not every encoding has, in ASCII."""

_INVISIBLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Letters that JSON leaves as they are and a terminal should not get: controls, marks that turn the direction of text,
separators of lines, halves of surrogate pairs."""


class Styled(NamedTuple):
    """A part of a line and how it looks on a terminal: "head", "quiet", "good", "bad", "mark", or "" for plain text."""

    text: str
    style: str = ""


Line = str | Sequence[str | Styled]
"""A line to print: text, or parts of it, some of them in a style."""


def say(*lines: Line) -> None:
    """Print lines for people on stdout. What does not print is escaped, and so are letters that the terminal's encoding does
    not have: a title, a path or a reason may hold anything."""
    coloured = _has_colours()
    for line in lines:
        parts = [line] if isinstance(line, str) else line
        click.echo("".join(_drawn(part, coloured) for part in parts), color=coloured)


def say_wrapped(label: str, text: str) -> None:
    """Print a label and a text on stdout. On a terminal, a long text is broken between words, below where it began."""
    line, width = printable(label + text), columns()
    below = " " * (len(label) if label.strip() else len(label) + 2)
    if width:
        line = textwrap.fill(
            printable(text), max(width, len(label) + 20), initial_indent=label, subsequent_indent=below,
            break_long_words=False, break_on_hyphens=False, expand_tabs=False, replace_whitespace=False,
        )  # fmt: skip
    click.echo(line)


def printable(text: str) -> str:
    """A text as `say` prints it on stdout: escaped, and in letters that its encoding has."""
    return _encodable(shown(text), sys.stdout.encoding)


def columns() -> int | None:
    """The columns of the terminal that stdout is, at most 120; None if it is no terminal: then lines may have any length."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None


def _has_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _drawn(part: str | Styled, coloured: bool) -> str:
    """A part of a line, escaped, in its style."""
    text, style = (part, "") if isinstance(part, str) else part
    text = printable(text)
    return click.style(text, **_STYLES[style]) if coloured and style else text


def complain(message: str) -> None:
    """Print an error or a note on stderr, after the program's name."""
    warn(f"newsdata: {message}")


def warn(message: str) -> None:
    """Print one or several lines on stderr, escaped as by `say`. On a terminal, a long one is broken between words."""
    for line in map(shown, message.split("\n")):
        if sys.stderr.isatty():
            line = _broken(line, shutil.get_terminal_size().columns)
        click.echo(_encodable(line, sys.stderr.encoding), err=True)


def ask(question: str) -> bool:
    """Ask a question on stderr. Without a terminal to ask on, the answer is no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo("", err=True)
        return False


def complain_about_call(error: click.ClickException) -> None:
    """Print what `click` says about a call: how the command is used, and what is wrong."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        if error.format_message().startswith(context.get_usage()):  # no command was given: this is the whole help
            warn(error.format_message())
            return
        warn(context.get_usage())
        warn(f"Try '{context.command_path} --help' for help.")
    complain(error.format_message())


def make_foreign_messages_safe() -> None:
    """Escape what does not print in warnings and in the log lines of every library: they may quote a server or a file."""
    make_record = logging.getLogRecordFactory()

    def make_safe_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        with suppress(TypeError, ValueError):  # a message that does not fit its arguments; logging says so
            record.msg, record.args = shown(record.getMessage()), ()
        return record

    def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
        complain(f"note: {message}")

    logging.setLogRecordFactory(make_safe_record)
    warnings.showwarning = show_warning


def _broken(line: str, width: int) -> str:
    """A line in several ones of at most `width` characters, if its words allow that."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.lstrip(), width, initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False, expand_tabs=False, replace_whitespace=False,
    )  # fmt: skip


def print_json(value: object) -> None:
    """Print a value as one JSON object on stdout: records by their fields, times in ISO 8601, paths as text."""
    plain = _plain(value)
    text = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(plain, ensure_ascii=False, indent=1))
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # the encoding lacks some of these letters
        text = json.dumps(plain, ensure_ascii=True, indent=1)
    click.echo(text)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Print the log lines of newsdata on stderr, from level INFO on. What does not print is escaped."""
    logger = logging.getLogger("newsdata")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_EscapingFormatter("%(asctime)s %(name)s: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _EscapingFormatter(logging.Formatter):
    """Log records on one line each, whatever names they hold."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with everything escaped that does not print."""
        return shown(super().format(record))


def _encodable(text: str, encoding: str | None) -> str:
    """A text in letters that an encoding has; of our own signs, others stand for those that it lacks."""
    encoding = encoding or "utf-8"
    try:
        return text.encode(encoding).decode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)


def _plain(value: object) -> Any:
    """A value made of dictionaries, lists, text, numbers and None only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return (
        value if value is None or isinstance(value, str | int | float) else str(value)
    )  # paths, and what a shard holds
