"""Read written dates as Jekyll 4.3 does (Psych and Ruby's `Time.parse`).

Ruby reads almost anything as a date and fills in missing parts from the clock. Here only what Ruby reads in the same
way on every day is a date. A date without a year, or with a day that its month does not have, is not.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["in_every_zone", "local_time", "read_date", "site_zone"]

# What YAML 1.1 reads as a time if it has no quotes. Seconds are required; Jekyll drops fractions.
_YAML_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]| +)(\d{1,2}):(\d\d):(\d\d)(?:\.\d*)?"
    r"\s*(?:(Z)|([-+]\d{1,2}:?(?:\d\d)?))?",
    re.ASCII,
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"({'|'.join(_MONTHS)})"
_FLAGS = re.ASCII | re.IGNORECASE | re.VERBOSE

_NOISE = re.compile(r"(?:[^\w\-+',./:@\[\]]|_)+")
_WEEKDAY = re.compile(r"\b(?:sun|mon|tue|wed|thu|fri|sat)[^-/\d\s]*", _FLAGS)
_CLOCK = re.compile(
    r"""(?P<hour>\d+)\s*
        (?: (?: :\s*(?P<minute>\d+) (?:\s*:\s*(?P<second>\d+)(?:[,.](?P<fraction>\d*))?)?
              | h(?:\s*(?P<h_minute>\d+)m?(?:\s*(?P<h_second>\d+)s?)?)? )
            (?:\s*(?P<half>[ap])(?:m\b|\.m\.))?
          | (?P<alone>[ap])(?:m\b|\.m\.) )
        (?:\s*(?P<zone> (?:gmt|utc?)?[-+]\d+(?:[,.:]\d+(?::\d+)?)?
                      | [a-z.\s]+(?:standard|daylight)\stime\b
                      | [a-z]+(?:\sdst)?\b ))?""",
    _FLAGS,
)
# Forms of a day, in the order in which they are tried, each with the numbers of the groups of year, month and day.
_DAYS = (
    (
        re.compile(rf"'?(\d+)[^-\d\s]*\s*{_MONTH}[^-\d\s']*(?:\s*('?-?\d+(?:(?:st|nd|rd|th)\b)?))?", _FLAGS),
        (3, 2, 1),
    ),
    (re.compile(rf"\b{_MONTH}[^-\d\s']*\s*('?\d+)[^-\d\s']*(?:\s*,?\s*('?-?\d+))?", _FLAGS), (3, 1, 2)),
    (re.compile(r"('?[-+]?\d+)-(\d+)-('?-?\d+)", _FLAGS), (1, 2, 3)),
    (re.compile(rf"('?-?\d+)-{_MONTH}[^-/.]*-('?-?\d+)", _FLAGS), (3, 2, 1)),
    (re.compile(rf"\b{_MONTH}[^-/.]*-('?-?\d+)(?:-('?-?\d+))?", _FLAGS), (3, 1, 2)),
    (re.compile(r"('?-?\d+)/\s*('?\d+)(?:\D\s*('?-?\d+))?", _FLAGS), (1, 2, 3)),
    (re.compile(r"(?<![a-z\d])('?-?\d+)\.\s*('?\d+)\.\s*('?-?\d+)", _FLAGS), (1, 2, 3)),
)
_DIGITS = re.compile(
    r"(?<![-+\d])(\d{4})(\d\d)(\d\d)(?:(?:\s*t?\s*)(\d\d)(\d\d)(\d\d)?)?(?!\d)(z\b|[-+]\d{1,4}\b)?", _FLAGS
)
_HOUR_ALONE = re.compile(r"\s*(\d{1,2})\s*", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)(?:(:?)(\d\d)(?:\3(\d\d))?)?", re.ASCII)

_ZONE_HOURS = {
    "UTC": 0,
    "Z": 0,
    "UT": 0,
    "GMT": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
}
_ZONE_HOURS |= {"PST": -8, "PDT": -7}
_ZONE_HOURS |= {letter: hours for hours, letter in enumerate("ABCDEFGHIKLM", 1)}
_ZONE_HOURS |= {letter: -hours for hours, letter in enumerate("NOPQRSTUVWXY", 1)}
_CERTAIN_ZONES = {"UTC", "UT", "GMT", "Z", "EST", "EDT", "CDT", "MST", "MDT", "PST", "PDT"}

_MAX_LENGTH = 128  # bytes; Ruby refuses longer dates
# The first and the last days of all are null dates of programs. Between these, clocks of every zone show the years 1 to 9999.
_FIRST, _END = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@lru_cache(maxsize=64)
def site_zone(name: str) -> ZoneInfo:
    """The time zone with this IANA name.

    >>> site_zone("Asia/Shanghai").key
    'Asia/Shanghai'
    """
    return ZoneInfo(name)


def local_time(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in `zone` show `naive`.

    As in Ruby, if clocks show it twice, it is the later one; if clocks skip it, the offset before the gap counts.

    >>> local_time(datetime(2020, 11, 1, 1, 30), site_zone("America/New_York")).isoformat()
    '2020-11-01T01:30:00-05:00'
    >>> local_time(datetime(2020, 3, 8, 2, 30), site_zone("America/New_York")).isoformat()
    '2020-03-08T03:30:00-04:00'

    Raises:
        OverflowError: the instant is not between 3 January 1 and 29 December 9999, UTC.
    """
    return in_every_zone(_local_time(naive, zone))


def in_every_zone(instant: datetime) -> datetime:
    """The same instant. Raises `OverflowError` if it is on the first or last days that Python, pandas and Arrow can show."""
    if not _FIRST <= instant < _END:
        raise OverflowError("the day is too near to an end of the years 1 to 9999, in some zone")
    return instant


def _local_time(naive: datetime, zone: ZoneInfo) -> datetime:
    first, later = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), later.utcoffset()
    assert before is not None and after is not None
    if before == after:
        return first
    return (later if after < before else first).astimezone(UTC).astimezone(zone)


def read_date(written: str, zone: ZoneInfo, *, plain: bool) -> tuple[datetime | None, tuple[str, ...]]:
    """Read a date.

    Args:
        written: the date as written in the front matter.
        zone: the site's time zone, for dates without a zone.
        plain: whether it is written without quotes. Then YAML reads some forms itself.

    Returns:
        The instant, in `zone`, and the codes of its issues; None and "date-unreadable" if it cannot be read.

    >>> read_date("2022-01-27 08:18:45 +0800", site_zone("Asia/Shanghai"), plain=True)[0].isoformat()
    '2022-01-27T08:18:45+08:00'
    >>> read_date("March 5, 2012 10:30 PM", site_zone("UTC"), plain=True)[0].isoformat()
    '2012-03-05T22:30:00+00:00'
    >>> read_date("2022-02-30", site_zone("UTC"), plain=True)
    (None, ('date-unreadable',))
    """
    for read in (_yaml_time, _free_time) if plain else (_free_time,):
        try:
            found = read(written, zone)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            return found
    return None, ("date-unreadable",)


def _yaml_time(written: str, zone: ZoneInfo) -> tuple[datetime, tuple[str, ...]] | None:
    match = _YAML_TIME.fullmatch(written)
    if match is None:
        return None
    numbers = tuple(map(int, match.group(1, 2, 3, 4, 5, 6)))
    if match[7]:
        return _with_offset(numbers, 0, zone), ()
    if match[8] is None:
        return local_time(_naive(numbers), zone), ("date-without-zone",)
    first, colon, rest = match[8].partition(":")
    if not colon:
        first, rest = match[8][:3], match[8][3:]  # "+800" is 80 hours to Psych, and then no time
    hours, minutes = int(first), int(rest or 0)
    seconds = hours * 3600 + (-minutes if hours < 0 else minutes) * 60  # "-00:30" is +00:30 to Psych
    return _with_offset(numbers, seconds, zone), ()


def _free_time(written: str, zone: ZoneInfo) -> tuple[datetime, tuple[str, ...]] | None:
    if len(written.encode(errors="replace")) > _MAX_LENGTH:
        return None
    text = _WEEKDAY.sub(" ", _NOISE.sub(" ", written), count=1)
    hour = minute = second = microsecond = 0
    zone_name: str | None = None
    clock = _CLOCK.search(text)
    if clock:
        hour = int(clock["hour"])
        half = clock["half"] or clock["alone"]
        if half:
            hour = hour % 12 + (12 if half in "pP" else 0)
        minute = int(clock["minute"] or clock["h_minute"] or 0)
        second = int(clock["second"] or clock["h_second"] or 0)
        microsecond = int((clock["fraction"] or "0")[:6].ljust(6, "0"))
        zone_name = clock["zone"]
        text = f"{text[: clock.start()]} {text[clock.end() :]}"
    for form, (y, m, d) in _DAYS:
        match = form.search(text)
        if match:
            year, month, day = _in_order(match[y], match[m], match[d])
            alone = _HOUR_ALONE.fullmatch(text[: match.start()] + " " + text[match.end() :])
            if alone and clock is None and int(alone[1]) <= 24:
                hour = int(alone[1])
            break
    else:
        match = _DIGITS.search(text)
        if match is None:
            return None
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        if match[4]:
            hour, minute, second = int(match[4]), int(match[5]), int(match[6] or 0)
        zone_name = match[7] or zone_name
    if year is None:
        return None  # Ruby would fill in the year from the clock
    numbers = (year, 1 if month is None else month, 1 if day is None else day, hour, minute, second)
    offset, issues = _offset(zone_name, year, zone)
    if offset is None:
        return local_time(_naive(numbers, microsecond), zone), issues
    return _with_offset(numbers, offset, zone, microsecond), issues


def _in_order(year: str | None, month: str | None, day: str | None) -> tuple[int | None, int | None, int | None]:
    """Which of three parts is year, month and day. Like Ruby, by their length and by which are missing."""
    if year is not None and month is not None and day is None:
        year, month, day = None, year, month
    if year is None and day is not None and (len(day) > 2 or day.startswith("'")):
        year, day = day, None
    if year is not None and year[-1:].isalpha():  # "1st" is a day
        ordinal = year.rstrip("stndrhSTNDRH")
        year, day = day, ordinal
    if month is not None and (month.startswith("'") or (len(month) > 2 and month.lower() not in _MONTHS)):
        year, month, day = month, day, year
    if day is not None and (day.startswith("'") or len(day) > 2):
        year, day = day, year
    return _year(year), _month(month), _number(day)


def _number(part: str | None) -> int | None:
    digits = re.search(r"\d+", part) if part else None
    return int(digits[0]) if digits else None


def _month(part: str | None) -> int | None:
    return _MONTHS.index(part.lower()) + 1 if part and part.lower() in _MONTHS else _number(part)


def _year(part: str | None) -> int | None:
    number = _number(part)
    if part is None or number is None:
        return None
    if part.lstrip("'").startswith("-"):
        raise ValueError("a year before Christ")
    short = len(part.lstrip("'+")) <= 2 and "+" not in part
    return number + (1900 if number >= 69 else 2000) if short else number


def _offset(name: str | None, year: int, zone: ZoneInfo) -> tuple[int | None, tuple[str, ...]]:
    """The offset of a zone in seconds east of Greenwich, None for the site's zone; and the issues with its name."""
    if name is None:
        return None, ("date-without-zone",)
    name = name.upper()
    match = _OFFSET.fullmatch(name)
    if match:
        seconds = (int(match[2]) * 60 + int(match[4] or 0)) * 60 + int(match[5] or 0)
        return -seconds if match[1] == "-" else seconds, ()
    if name in _ZONE_HOURS:
        return _ZONE_HOURS[name] * 3600, () if name in _CERTAIN_ZONES else ("date-ambiguous-zone",)
    for month in (1, 7):  # a name of the site's own zone
        day = datetime(year, month, 1, tzinfo=zone)
        offset = day.utcoffset()
        if offset is not None and (day.tzname() or "").upper() == name:
            return int(offset.total_seconds()), ("date-ambiguous-zone",)
    return None, ("date-ambiguous-zone",)


def _naive(numbers: tuple[int, ...], microsecond: int = 0) -> datetime:
    """The date and time of these numbers. 24:00:00 is midnight of the next day, and second 60 is the next minute."""
    year, month, day, hour, minute, second = numbers
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError("no such time of day")
    return datetime(year, month, day) + timedelta(  # noqa: DTZ001 - the caller adds the zone
        hours=hour, minutes=minute, seconds=second, microseconds=microsecond
    )


def _with_offset(numbers: tuple[int, ...], offset: int, zone: ZoneInfo, microsecond: int = 0) -> datetime:
    if abs(offset) >= 86_400:
        raise ValueError("no zone is a day away")
    there = timezone(timedelta(seconds=offset))
    return in_every_zone(_naive(numbers, microsecond).replace(tzinfo=there)).astimezone(zone)
