"""Written dates. test_front_matter_against_jekyll.py compares them with Ruby."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.parsing.dates import local_time, read_date, site_zone

NEW_YORK = site_zone("America/New_York")

READ = [
    ("2015-01-02", "2015-01-02T05:00:00", "date-without-zone"),
    ("2015-1-2 1:02:03 Z", "2015-01-02T01:02:03", None),
    ("2015-01-02 10:11:12", "2015-01-02T15:11:12", "date-without-zone"),
    ("2015-01-02 10:11:12 +0800", "2015-01-02T02:11:12", None),
    ("2015-01-02T10:11:12.9+08:00", "2015-01-02T02:11:12", None),
    ("2015-01-02 10:11 -05", "2015-01-02T15:11:00", None),
    ("2015-01-02 10:11:12 EST", "2015-01-02T15:11:12", None),
    ("2015-01-02 10:11:12 CST", "2015-01-02T16:11:12", "date-ambiguous-zone"),
    ("2015-07-02 10:11:12 EDT", "2015-07-02T14:11:12", None),
    ("2015-01-02 10:11:12 JST", "2015-01-02T15:11:12", "date-ambiguous-zone"),
    ("2015-01-02 10:30 PM", "2015-01-03T03:30:00", "date-without-zone"),
    ("2015/01/02 10:11", "2015-01-02T15:11:00", "date-without-zone"),
    ("02/01/2015", "2015-01-02T05:00:00", "date-without-zone"),
    ("2 January 2015 00:00 UTC", "2015-01-02T00:00:00", None),
    ("Fri, 02 Jan 2015 10:11:12 GMT", "2015-01-02T10:11:12", None),
    ("Jan 2nd, 2015", "2015-01-02T05:00:00", "date-without-zone"),
    ("20150102", "2015-01-02T05:00:00", "date-without-zone"),
    ("2015-01-02 24:00:00 Z", "2015-01-03T00:00:00", None),
    ("2015-01-02 23:59:60 Z", "2015-01-03T00:00:00", None),
]
UNREADABLE = [
    "", " ", "now", "10:11", "Jan 2", "2015", "2015-13-01", "2015-02-30", "2018-110-15", "+9000",
    "0000-00-00", "YYYY-MM-DD (optional)", "2022-04-05 13:45:5+30:00", "2015-01-02 10:11:12 +9000",
    "2015-01-02 25:00", "99" * 90, "2015-01-02 10:60", "H24.03.05", "9999-12-31 23:00:00 -0500",
    "-2015-01-02", "２０１５-01-02", "1420193472", "0001-01-01 23:59:59 Z", "9999-12-31 00:00:00 Z",
]  # fmt: skip


@pytest.mark.parametrize(("written", "instant", "issue"), READ)
def test_a_date_is_read(written: str, instant: str, issue: str | None) -> None:
    found, issues = read_date(written, NEW_YORK, plain=True)
    assert found is not None
    assert found.tzinfo is NEW_YORK
    assert found.astimezone(UTC).replace(tzinfo=None).isoformat() == instant
    assert issues == ((issue,) if issue else ())


@pytest.mark.parametrize("written", UNREADABLE)
@pytest.mark.parametrize("plain", [True, False])
def test_a_date_that_cannot_be_read_is_none(written: str, plain: bool) -> None:
    assert read_date(written, NEW_YORK, plain=plain) == (None, ("date-unreadable",))


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_date_without_an_instant_in_every_zone_cannot_be_read(day: str, zone: str) -> None:
    for time in ("", " 00:00:00", " 23:59:59", " 11:00:00 +0000", " 12:00:00 -1200", " 12:00:00 +1400"):
        for plain in (True, False):
            assert read_date(day + time, site_zone(zone), plain=plain) == (None, ("date-unreadable",))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_the_first_and_the_last_date_that_are_read(zone: str) -> None:
    for written in ("0001-01-03 00:00:00 Z", "9999-12-29 23:59:59 Z", "0001-01-04", "9999-12-28"):
        found, _ = read_date(written, site_zone(zone), plain=True)
        assert found is not None
        for hours in (-23, 0, 23):
            assert found.astimezone(timezone(timedelta(hours=hours))) == found
    with pytest.raises(OverflowError, match="in some zone"):
        local_time(datetime.fromisoformat("0001-01-01"), NEW_YORK)


@given(
    st.text(st.sampled_from("0123456789-+:/. TZapmJnFebdESC,'年"), max_size=40) | st.text(max_size=20),
    st.booleans(),
)
def test_no_text_raises_an_error(written: str, plain: bool) -> None:
    found, issues = read_date(written, NEW_YORK, plain=plain)
    assert (found is None) == (issues == ("date-unreadable",))


@given(st.datetimes(datetime.fromisoformat("1902-01-01"), datetime.fromisoformat("2200-01-01")))
def test_local_time_shows_the_same_clock_except_in_a_gap(naive: datetime) -> None:
    found = local_time(naive, NEW_YORK)
    shown = found.replace(tzinfo=None, fold=0)
    assert shown == naive or (shown - naive).total_seconds() == 3600
    assert found == found.astimezone(UTC).astimezone(NEW_YORK)
