"""Which rows the arguments `since`, `until` and `filters` ask for, as one Arrow expression."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CallError, first_line
from ..schema import CONFIGS, columns
from .slices import Slice

__all__ = ["Period", "as_instant", "period_of", "read_time", "row_filter", "used_columns", "within"]

_COLUMN = "published_at"
_COMPARE = {"==": eq, "=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_OPERATORS = (*_COMPARE, "in", "not in")
_MONTH = re.compile(r"(?:articles|excluded)/[a-z]+-(\d{4}-\d{2}|undated)-\d+\.parquet", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time: milliseconds since 1970, from `begin` up to, not including, `end`; None is open."""

    begin: int | None
    end: int | None


def period_of(
    since: str | date | datetime | None, until: str | date | datetime | None, timezone: str, config: str
) -> Period | None:
    """The period that the arguments `since` and `until` mean; None without both.

    Args:
        since, until: a day or an instant, see `as_instant`.
        timezone: the site's, an IANA name.
        config: the config that is read.

    Raises:
        CallError: one is neither a day nor an instant, the period is empty, or rows of the config have no date.
    """
    if since is None and until is None:
        return None
    field = "until" if since is None else "since"
    if _COLUMN not in columns(config):
        dated = ", ".join(name for name in CONFIGS if _COLUMN in columns(name))
        raise CallError(f"rows of the config {config} have no date", field=field, hint=f"these have one: {dated}")
    begin = None if since is None else as_instant(since, timezone, "since")
    end = None if until is None else as_instant(until, timezone, "until")
    if begin is not None and end is not None and begin >= end:
        hint = "until is exclusive: for one day write the next day"
        raise CallError(f"no time is both since {since} and before {until}", field="until", hint=hint)
    return Period(begin=begin, end=end)


def as_instant(value: object, timezone: str, field: str) -> int:
    """A day or an instant as milliseconds since 1970, rounded up.

    Args:
        value: a day (`datetime.date`, "2022-03-01"), which begins at midnight in the site's zone, or an instant with its
            zone (`datetime.datetime`, "2022-03-01T09:30+08:00").
        timezone: the site's, an IANA name.
        field: the argument, for the error.

    Raises:
        CallError: it is neither, or has no zone.

    >>> as_instant("1970-01-02", "UTC", "since"), as_instant("1970-01-01T08:00:01+08:00", "UTC", "since")
    (86400000, 1000)
    """
    return int(-((_EPOCH - read_time(value, timezone, field)) // timedelta(milliseconds=1)))


def read_time(value: object, timezone: str, field: str) -> datetime:
    """A day or an instant as a time with a zone; the arguments and errors are those of `as_instant`.

    >>> read_time("2022-03-01", "Asia/Shanghai", "since").isoformat()
    '2022-03-01T00:00:00+08:00'
    """
    found = _parsed(value.strip()) if isinstance(value, str) else value
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time(), ZoneInfo(timezone))
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise CallError(
            f"must be a day, or an instant with its zone, got {value!r}",
            field=field,
            hint='write "2022-03-01" or "2022-03-01T09:30+08:00"',
        )
    return found


def _parsed(text: str) -> date | datetime | None:
    """A text in ISO 8601 as a day or a time; None if it is neither."""
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    return None


def within(part: Slice, period: Period | None, timezone: str) -> Slice:
    """A slice without those of its shards that hold no row of a period, by the months in their names.

    Only shards of the configs `articles` and `excluded` are named by the month of `published_at`.
    """
    if period is None:
        return part
    kept = [shard for shard in part.shards if _may_hold(shard.path, period, timezone)]
    if len(kept) == len(part.shards):
        return part
    if not kept:
        return replace(part, shards=(), begin=0, end=0)
    cut = sum(shard.rows for shard in part.shards) - part.end if kept[-1] is part.shards[-1] else 0
    begin = part.begin if kept[0] is part.shards[0] else 0
    return replace(part, shards=tuple(kept), begin=begin, end=sum(shard.rows for shard in kept) - cut)


def _may_hold(path: str, period: Period, timezone: str) -> bool:
    """Whether a shard may hold rows of a period."""
    match = _MONTH.fullmatch(path)
    if match and match[1] == "undated":
        return False
    try:
        first = date.fromisoformat(f"{match[1]}-01") if match else None
        after = first and (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):  # no month of the calendar
        first = after = None
    if first is None or after is None:
        return True
    begins = period.end is None or as_instant(first, timezone, _COLUMN) < period.end
    return begins and (period.begin is None or as_instant(after, timezone, _COLUMN) > period.begin)


def row_filter(filters: object, period: Period | None, schema: pa.Schema) -> pc.Expression | None:
    """The expression that holds for the wanted rows; None if all are wanted.

    Args:
        filters: as for `pyarrow.parquet.read_table`: tuples (column, operator, value) that all hold, a list of such
            lists of which one holds, or an Arrow expression. In a tuple, a time is written as for `since`.
        period: only rows dated within.
        schema: of the config that is read.

    Raises:
        CallError: `filters` has another form, names a column that the config does not have, or compares a column with
            a value of another type.
    """
    wanted = None if filters is None else _checked(_expression(filters, schema), schema)
    bounds = ((period.begin, ge), (period.end, lt)) if period else ()
    for bound, compare in bounds:
        if bound is not None:
            limit = compare(pc.field(_COLUMN), pc.scalar(pa.scalar(bound, schema.field(_COLUMN).type)))
            wanted = limit if wanted is None else wanted & limit
    return wanted


def used_columns(expression: pc.Expression, schema: pa.Schema) -> tuple[str, ...]:
    """The columns that an expression uses.

    Args:
        expression: from `row_filter`.
        schema: the one that it was made for.

    >>> schema = pa.schema([("a", pa.int32()), ("b", pa.int32())])
    >>> used_columns(pc.field("b") > 1, schema)
    ('b',)
    """
    try:
        shown = str(expression)
    except UnicodeDecodeError:  # Arrow shortens a long value, sometimes inside a character
        return tuple(schema.names)
    if "FieldPath(" in shown:  # a column named by its number
        return tuple(schema.names)
    table = schema.empty_table()
    used = []
    for name in schema.names:  # Arrow tells the columns of an expression only by what it cannot do without
        try:
            table.drop_columns([name]).filter(expression)
        except pa.ArrowException:
            used.append(name)
    return tuple(used)


def _expression(filters: object, schema: pa.Schema) -> pc.Expression:
    """The argument `filters` as an expression."""
    if isinstance(filters, pc.Expression):
        return filters
    either = filters if isinstance(filters, list | tuple) else []
    if all(isinstance(one, tuple) for one in either):
        either = [either]
    if not either or not all(isinstance(every, list | tuple) and every for every in either):
        raise _malformed(filters)
    return reduce(or_, (reduce(and_, (_comparison(one, schema) for one in every)) for every in either))


def _malformed(filters: object) -> CallError:
    return CallError(
        f"must be a list of tuples (column, operator, value), got {filters!r}",
        field="filters",
        hint='write filters=[("category", "==", "emnews"), ("num_chars", ">", 200)]',
    )


def _comparison(one: object, schema: pa.Schema) -> pc.Expression:
    """The expression of one tuple."""
    if not isinstance(one, tuple) or len(one) != 3:
        raise _malformed(one)
    column, operator, value = one
    if column not in schema.names:
        raise CallError(f"there is no column {column!r}", field="filters", hint=f"there are: {', '.join(schema.names)}")
    if operator not in _OPERATORS:
        hint = f"there are: {', '.join(_OPERATORS)}"
        raise CallError(f"there is no operator {operator!r}", field="filters", hint=hint)
    is_in = operator in ("in", "not in")
    if is_in and (isinstance(value, str | bytes) or not isinstance(value, Collection)):
        raise CallError(f"{operator!r} needs a list of values, got {value!r}", field="filters")
    kind = schema.field(column).type
    if pa.types.is_list(kind):
        hint = f'filter what is loaded: rows.filter(lambda values: "x" in (values or []), input_columns="{column}")'
        raise CallError(f"{column} is a list in each row, and lists cannot be compared", field="filters", hint=hint)
    values = [_scalar(each, kind, column) for each in (value if is_in else [value])]
    field = pc.field(column)
    if not is_in:
        return _COMPARE[operator](field, values[0])
    try:
        found = field.isin(pa.array([each.as_py() for each in values], kind))
    except (pa.ArrowException, TypeError, ValueError):
        raise CallError(f"{column} ({kind}) is never one of {value!r}", field="filters") from None
    return ~found if operator == "not in" else found


def _scalar(value: Any, kind: pa.DataType, column: str) -> pa.Scalar:
    """A value with the type of the column that it is compared with."""
    if value is None:
        raise CallError(
            f"no value of {column} is equal to None, or less or more",
            field="filters",
            hint=f'write filters=pyarrow.compute.field("{column}").is_null()',
        )
    if isinstance(value, pa.Scalar) or (pa.types.is_integer(kind) and isinstance(value, float)):
        return pa.scalar(value)
    if pa.types.is_timestamp(kind):
        return pa.scalar(as_instant(value, kind.tz, "filters"), kind)
    try:
        return pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        reason = f"{column} ({kind}) cannot be compared with {value!r}"
        raise CallError(reason, field="filters") from None


def _checked(expression: pc.Expression, schema: pa.Schema) -> pc.Expression:
    """The expression, if it can be computed for rows of the config and gives yes or no."""
    try:
        schema.empty_table().filter(expression)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = f"cannot be computed: {first_line(error)}"
        raise CallError(reason, field="filters", hint=f"columns: {', '.join(schema.names)}") from None
    return expression
