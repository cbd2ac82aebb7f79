"""What the header of a card says about citing the dataset."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsdata.card.citation import Author, Citation, check_citation, citation_facts, read_citation, spdx_of
from newsdata.card.metadata import _LICENSES

HEADER = """
pretty_name: Finews
title: "Finews & 新闻"
license: cc-by-4.0
authors:
- Lovelace, Ada
- name: Hopper, Grace
  orcid: https://orcid.org/0000-0002-1825-0097
  affiliation: Example Institute
- Example & Sons
date_published: 2022-06-30
doi: https://doi.org/10.5281/zenodo.1234567
url: https://example.org/a_b%20c
repository: owner/name
"""


def test_everything_is_read() -> None:
    header = yaml.safe_load(HEADER)
    assert list(check_citation(header)) == []
    assert read_citation(header) == Citation(
        title="Finews & 新闻",
        authors=(
            Author(name="Lovelace", given="Ada"),
            Author(name="Hopper", given="Grace", orcid="0000-0002-1825-0097", affiliation="Example Institute"),
            Author(name="Example & Sons"),
        ),
        year=2022,
        date_published="2022-06-30",
        doi="10.5281/zenodo.1234567",
        url="https://example.org/a_b%20c",
        repository="owner/name",
        license="CC-BY-4.0",
    )
    assert citation_facts(header)["date_published"] == "2022-06-30"


def test_nothing_is_made_up() -> None:
    assert read_citation({}, "news") == Citation(title="news")
    assert read_citation({"pretty_name": "A"}).title == "A"
    assert all(value in (None, []) for value in citation_facts({}).values())


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ({"title": "a\nb"}, "title: 'a\\nb' is not text of one line"),
        ({"title": 7}, "title: 7 is not text"),
        ({"year": True}, "year: True is not a year"),
        ({"year": "22"}, "year: '22' is not a year"),
        ({"date_published": "2022-02-30"}, "is not a day"),
        ({"date_published": datetime.datetime(2022, 1, 1, tzinfo=datetime.UTC)}, "is not a day"),
        ({"date_published": "2022-06-30", "year": 2021}, "year: 2021 is not the year of date_published, 2022-06-30"),
        ({"doi": "11.1/x"}, "doi: '11.1/x' is not a DOI"),
        ({"doi": "10.5281/a}b"}, "is not a DOI"),
        ({"url": "javascript:x"}, "url: 'javascript:x' is not an address"),
        ({"url": "https://x.org/}"}, "is not an address"),
        ({"repository": "https://hub.example/owner/name"}, "is not of the form owner/name"),
        ({"authors": "Ada"}, "authors: must be a list"),
        ({"authors": []}, "authors: must be a list"),
        ({"authors": [{"orcid": "0000-0002-1825-0097"}]}, "authors: None is not a name"),
        ({"authors": ["A, B, C"]}, "'A, B, C' is not a name"),
        ({"authors": ["Lovelace,"]}, "is not a name"),
        ({"authors": [{"name": "A", "email": "x"}]}, "authors: 'email' is unknown"),
        ({"authors": [{"name": "A, B", "orcid": "0000-0002-1825-0098"}]}, "is not an ORCID iD"),
        ({"authors": [{"name": "A, B", "affiliation": ["x"]}]}, "the affiliation ['x'] is not text"),
    ],
)
def test_a_fault_is_named_and_the_value_left_out(header: dict[str, Any], fault: str) -> None:
    found = list(check_citation(header))
    assert len(found) == 1 and fault in found[0]
    if "year" not in header or "date_published" not in header:
        assert read_citation(header, "news") == Citation(title="news")


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(["title", "authors", "year", "date_published", "doi", "url", "repository", "license"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "orcid"]) | st.integers(), inner),
            max_leaves=5,
        ),
    )
)
def test_no_header_ends_with_a_traceback(header: dict[str, Any]) -> None:
    """The README.md of a version may come from anywhere."""
    faults, citation = list(check_citation(header)), read_citation(header, "news")
    assert faults or set(header) <= {"license"} | {key for key in header if getattr(citation, key)}


def test_every_licence_is_one_of_the_hub_and_of_spdx() -> None:
    from packaging.licenses import canonicalize_license_expression

    known = {id: spdx for id in _LICENSES if (spdx := spdx_of(id))}
    assert len(known) > 50
    for spdx in known.values():
        assert canonicalize_license_expression(spdx) == spdx
    for id in ("other", "unknown", "cc", "gpl", "openrail"):
        assert spdx_of(id) is None
