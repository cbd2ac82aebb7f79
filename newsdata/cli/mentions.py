"""The command `mentions`: mentions and text codes as CSV, or what is mentioned most."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..counts import plural
from ..errors import MachineError
from .options import OUT, VERSION, json_option, revision_option
from .output import columns, print_json, printable, say, warn
from .table import table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mentions"]

_MOST = 10  # symbols that are printed
_AT_ONCE = 10_000  # rows that are made lines at once


@click.command()
@click.argument("directory", metavar="DIR|REPO", type=VERSION)
@click.option(
    "--csv", "csv_file", type=OUT, metavar="FILE", help="Write every row as CSV to FILE, or to stdout with -."
)
@click.option("--split", help="Only train, validation, test or newer (default: all).")
@click.option("--since", metavar="TIME", help="Only articles from this day or instant on.")
@click.option("--until", metavar="TIME", help="Only articles before this day or instant.")
@click.option("--as-of", metavar="TIME", help="What was known at this instant; needs a version built with --history.")
@revision_option
@json_option
def mentions(
    directory: str, csv_file: str | None, split: str | None, since: str | None, until: str | None, as_of: str | None,
    revision: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List the securities that are named: by links and by codes.

    There is one row for each mention and text code, with the symbol that prices are looked up by (600519.XSHG). Without --csv
    the symbols in most articles are printed. In the CSV, nulls are empty cells and times are ISO 8601. Nothing is changed in
    it for spreadsheets: a code may lose its zeros in one, and a text that begins with = may count as a formula, so import it
    with every column as text.
    """
    from ..dataset.mentions import load_mentions

    if csv_file == "-" and as_json:
        raise click.UsageError("--csv - and --json both write to stdout")
    frame = load_mentions(directory, split=split, since=since, until=until, as_of=as_of, revision=revision)
    if csv_file == "-":
        _print_csv(frame)
        return
    if csv_file is not None:
        _write_csv(frame, Path(csv_file))
    most = _most(frame)
    if as_json:
        counts = {name: dict(sorted(frame[name].value_counts().items())) for name in ("origin", "kind")}
        print_json({"rows": len(frame), "articles": int(frame["article_id"].nunique()), **counts, "symbols": most})
        return
    told = f"{plural(len(frame), 'mention')} in {plural(int(frame['article_id'].nunique()), 'article')}"
    if csv_file is not None:
        say(f"wrote {told} to {csv_file}")
        return
    say(told)
    cells = [[one["symbol"], f"{one['articles']:,}", printable(one["text"] or "-")] for one in most]
    say(*table(["symbol", "articles", "named"], cells, room=columns(), right=[1], flexible=2))
    if frame["symbol"].notna().sum() < len(frame):
        warn("mentions of boards, of the glossary and of unknown exchanges have no symbol; --csv lists all")


def _most(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The symbols in most articles, each with the words of its first mention that is no code."""
    first = frame[frame["first"].eq(True) & frame["symbol"].notna()]
    counts = first["symbol"].value_counts().reset_index().sort_values(["count", "symbol"], ascending=[False, True])
    named = frame["origin"].eq("link") & frame["symbol"].notna() & frame["text"].notna()
    linked = frame[named].drop_duplicates("symbol")
    names = dict(zip(linked["symbol"], linked["text"], strict=True))
    most = counts.head(_MOST)
    return [
        {"symbol": symbol, "articles": int(count), "text": names.get(symbol)}
        for symbol, count in zip(most["symbol"], most["count"], strict=True)
    ]


def _lines(frame: pd.DataFrame) -> Iterator[str]:
    """The rows as CSV, header first, many lines at once."""
    yield _csv([list(frame.columns)])
    for begin in range(0, len(frame), _AT_ONCE):
        some = frame.iloc[begin : begin + _AT_ONCE]
        cells = [[_cell(value) for value in some[name].astype(object).tolist()] for name in frame.columns]
        yield _csv(list(zip(*cells, strict=True)))


def _csv(rows: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None or value != value:  # None, NaN or NaT
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):  # a whole number of a column in which some are missing
        return str(int(value))
    return value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else str(value)


def _print_csv(frame: pd.DataFrame) -> None:
    for lines in _lines(frame):
        if sys.stdout.isatty():
            say(*lines.removesuffix("\n").split("\n"))  # no text may reach a terminal as it is
        else:
            sys.stdout.buffer.write(lines.encode())


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    from ..files import write_whole

    try:
        write_whole(path, b"".join(lines.encode() for lines in _lines(frame)))
    except OSError as error:
        raise MachineError(f"cannot be written: {error.strerror or error}", path=path) from None
