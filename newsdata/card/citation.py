"""Who made a dataset and how to cite it: what the header of a curator's card says, checked.

::

    title: Finews, a corpus of Chinese financial news    # by default `pretty_name`
    authors:
    - Lovelace, Ada                                      # Family, Given; without a comma the name of an organisation
    - name: Hopper, Grace
      orcid: 0000-0002-1825-0097
      affiliation: Example Institute
    year: 2022
    date_published: 2022-06-30
    doi: 10.5281/zenodo.1234567
    url: https://example.org/finews
    repository: owner/name                               # on the Hugging Face Hub

All of it may be left out. What is not there is not made up.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Author", "Citation", "check_citation", "citation_facts", "read_citation", "spdx_of"]

_KEYS = ("title", "authors", "year", "date_published", "doi", "url", "repository")
_LONGEST = 500  # characters of a title, a name or an address
_MOST_AUTHORS = 1000

_URL = re.compile(r"https?://[^\s<>\"{}\\^`|]+")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}(?:\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]]+)", re.ASCII)
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_SPDX = {
    id.lower(): id
    for id in [
        "AFL-3.0",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSD-3-Clause-Clear",
        "BSL-1.0",
        "CC-BY-2.0",
        "CC-BY-2.5",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-NC-2.0",
        "CC-BY-NC-3.0",
        "CC-BY-NC-4.0",
        "CC-BY-NC-ND-3.0",
        "CC-BY-NC-ND-4.0",
        "CC-BY-NC-SA-2.0",
        "CC-BY-NC-SA-3.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-ND-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0",
        "CDLA-Sharing-1.0",
        "ECL-2.0",
        "EPL-1.0",
        "EPL-2.0",
        "etalab-2.0",
        "EUPL-1.1",
        "EUPL-1.2",
        "ISC",
        "LPPL-1.3c",
        "MIT",
        "MPL-2.0",
        "MS-PL",
        "NCSA",
        "OFL-1.1",
        "OSL-3.0",
        "PostgreSQL",
        "Unlicense",
        "WTFPL",
        "Zlib",
    ]
} | {
    "agpl-3.0": "AGPL-3.0-only",
    "c-uda": "C-UDA-1.0",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "lgpl-lr": "LGPLLR",
    "odbl": "ODbL-1.0",
    "odc-by": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
}
"""Id of a licence on the Hub -> its id in the list of SPDX. Ids of the Hub that name no version, or no licence, are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Somebody who made the dataset.

    Attributes:
        name: of an organisation, or the family name of a person.
        given: the person's given names; None for an organisation.
        orcid: "0000-0002-1825-0097", or None.
        affiliation: where the person works, or None.
    """

    name: str
    given: str | None = None
    orcid: str | None = None
    affiliation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What a card says about citing the dataset; None where it says nothing.

    Attributes:
        title: of the dataset.
        authors: in their order.
        year: of publication.
        date_published: YYYY-MM-DD.
        doi: "10.…/…", without an address before it.
        url: of the dataset's own page.
        repository: "owner/name" on the Hub.
        license: an id in the list of SPDX.
    """

    title: str
    authors: tuple[Author, ...] = ()
    year: int | None = None
    date_published: str | None = None
    doi: str | None = None
    url: str | None = None
    repository: str | None = None
    license: str | None = None


def read_citation(header: Mapping[Any, Any], name: str = "news archive") -> Citation:
    """The citation in the header of a card. A value that `check_citation` finds wrong counts as missing.

    Args:
        header: the YAML header.
        name: the title, if the header has none.

    >>> read_citation({"pretty_name": "Finews", "authors": ["Lovelace, Ada"], "license": "cc-by-4.0"}).license
    'CC-BY-4.0'
    """
    titles = [str(header[key]) for key in ("title", "pretty_name") if _is_text(header.get(key))]
    day = _day(header.get("date_published"))
    authors = header.get("authors")
    listed = [_author(author) for author in authors[:_MOST_AUTHORS]] if isinstance(authors, list) else []
    doi = _match(_DOI, header.get("doi"))
    return Citation(
        title=next(iter(titles), name),
        authors=tuple(author for author in listed if author),
        year=_year(header.get("year")) or (int(day[:4]) if day else None),
        date_published=day,
        doi=doi[1] if doi else None,
        url=header["url"] if _match(_URL, header.get("url")) else None,
        repository=header["repository"] if _match(_REPOSITORY, header.get("repository")) else None,
        license=spdx_of(header.get("license")),
    )


def citation_facts(header: Mapping[Any, Any]) -> dict[str, Any]:
    """The citation in the header of a card as plain values, for `newsdata.info`. Keys: those of `Citation`, without `license`.

    >>> citation_facts({"authors": ["Lovelace, Ada"], "year": 2022})["authors"]
    [{'name': 'Lovelace', 'given': 'Ada', 'orcid': None, 'affiliation': None}]
    """
    facts = asdict(read_citation(header, ""))
    del facts["license"]
    return facts | {"title": facts["title"] or None, "authors": list(facts["authors"])}


def check_citation(header: Mapping[Any, Any]) -> Iterator[str]:
    """What is wrong with the citation in the header of a card.

    >>> list(check_citation({"year": 22}))
    ['year: 22 is not a year of four digits']
    """
    wanted = {
        "title": ("text of one line", _is_text),
        "year": ("a year of four digits", _year),
        "date_published": ("a day of the form YYYY-MM-DD", _day),
        "doi": ("a DOI, as in 10.5281/zenodo.1234567", lambda value: _match(_DOI, value)),
        "url": ("an address that begins with https:// or http://", lambda value: _match(_URL, value)),
        "repository": ("of the form owner/name", lambda value: _match(_REPOSITORY, value)),
    }
    for key, (form, reads) in wanted.items():
        if key in header and not reads(header[key]):
            yield f"{key}: {header[key]!r} is not {form}"
    authors = header.get("authors", [])
    if not isinstance(authors, list) or len(authors) > _MOST_AUTHORS or ("authors" in header and not authors):
        yield f"authors: must be a list of 1 to {_MOST_AUTHORS:,} names"
    else:
        for author in authors:
            yield from _author_faults(author)
    day, year = _day(header.get("date_published")), _year(header.get("year"))
    if day and year and int(day[:4]) != year:
        yield f"year: {year} is not the year of date_published, {day}"


def spdx_of(license_id: object) -> str | None:
    """The id in the list of SPDX for a licence as the Hub names it; None if there is none.

    >>> spdx_of("cc-by-4.0"), spdx_of("other"), spdx_of(["mit"]), spdx_of(["mit", "isc"])
    ('CC-BY-4.0', None, 'MIT', None)
    """
    if isinstance(license_id, list) and len(license_id) == 1:
        license_id = license_id[0]
    return _SPDX.get(license_id) if isinstance(license_id, str) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST and not _UNPRINTABLE.search(value)


def _match(form: re.Pattern[str], value: object) -> re.Match[str] | None:
    return form.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None


def _year(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{4}", value, re.ASCII):
        value = int(value)
    return value if type(value) is int and 1000 <= value <= 9999 else None


def _day(value: object) -> str | None:
    """A day as YYYY-MM-DD. YAML reads one that is not in quotes as a date."""
    text = value.isoformat() if type(value) is datetime.date else value
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return None
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return text


def _author(value: object) -> Author | None:
    """An author of the header; None if something is wrong with it."""
    if next(_author_faults(value), None):
        return None
    given_facts: Mapping[Any, Any] = value if isinstance(value, Mapping) else {"name": value}
    name, comma, given = (part.strip() for part in str(given_facts["name"]).partition(","))
    orcid = _match(_ORCID, given_facts.get("orcid"))
    affiliation = given_facts.get("affiliation")
    return Author(name=name, given=given if comma else None, orcid=orcid[1] if orcid else None, affiliation=affiliation)


def _author_faults(value: object) -> Iterator[str]:
    facts = value if isinstance(value, Mapping) else {"name": value}
    if more := [key for key in facts if key not in ("name", "orcid", "affiliation")]:
        yield f"authors: {more[0]!r} is unknown; an author has a name, perhaps an orcid and an affiliation"
    name = facts.get("name")
    parts = str(name).split(",")
    if not _is_text(name) or len(parts) > 2 or not all(part.strip() for part in parts):
        yield f"authors: {name!r} is not a name; write Family, Given, or the name of an organisation without a comma"
    if "affiliation" in facts and not _is_text(facts["affiliation"]):
        yield f"authors: {name}: the affiliation {facts['affiliation']!r} is not text of one line"
    if "orcid" in facts and not _is_orcid(facts["orcid"]):
        yield f"authors: {name}: {facts['orcid']!r} is not an ORCID iD, as in 0000-0002-1825-0097"


def _is_orcid(value: object) -> bool:
    """Whether a value is an ORCID iD with the right check digit (ISO 7064, 11-2)."""
    found = _match(_ORCID, value)
    if not found:
        return False
    digits = found[1].replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == digits[-1]
