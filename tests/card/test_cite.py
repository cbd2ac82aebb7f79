"""BibTeX and CITATION.cff."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsdata.card.citation import Author, Citation, read_citation
from newsdata.card.cite import bibtex, render_cff
from newsdata.storage.manifest import Manifest

from .test_citation import HEADER

BARE = Manifest(
    dataset_version="1.10.0", schema_version="2.0", configuration={}, source={}, tools={}, accounting={}, columns={},
    shards=(),
)  # fmt: skip
FULL = read_citation(yaml.safe_load(HEADER))


def fields(entry: str) -> dict[str, str]:
    """The fields of an entry, by counting braces as BibTeX does: without regard to backslashes."""
    head, rest = entry.split(",", 1)
    assert re.fullmatch(r"@misc\{[a-z0-9_]+", head)
    found, depth, begin = {}, 0, 0
    for at, letter in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            name, _, value = rest[begin:at].partition("=")
            found[name.strip()] = value.strip()[1:-1]
            begin = at + 1
    assert depth == -1 and rest[begin:].strip() == "}"
    return found


def test_bibtex_has_what_the_card_says() -> None:
    entry = bibtex(FULL, BARE)
    assert entry.startswith("@misc{finews_2022,\n")
    assert fields(entry) == {
        "author": r"Lovelace, Ada and Hopper, Grace and {Example \& Sons}",
        "title": r"{Finews \& 新闻}",
        "year": "2022",
        "howpublished": "Dataset",
        "version": "1.10.0",
        "doi": "10.5281/zenodo.1234567",
        "url": "https://example.org/a_b%20c",
        "note": "Version 1.10.0, content digest 4f53cda18c2baa0c0354bb5f9a3ecbe5",
    }
    assert fields(bibtex(Citation(title="news"), BARE)).keys() == {"title", "howpublished", "version", "note"}


@pytest.mark.parametrize(
    ("citation", "key"),
    [
        (Citation(title="Jekyll news archive"), "jekyll_news_archive"),
        (Citation(title="Čeština: zprávy", year=2021), "cestina_zpravy_2021"),
        (Citation(title="新闻", repository="lab/Finews-x", year=2022), "lab_finews_x_2022"),
        (Citation(title="新闻"), "dataset"),
        (Citation(title="one two three four five six seven eight nine ten"), "one_two_three_four_five_six_seven_eight"),
    ],
)
def test_the_key_names_the_dataset(citation: Citation, key: str) -> None:
    assert bibtex(citation, BARE).startswith(f"@misc{{{key},\n")


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_letter_breaks_an_entry_or_a_file(title: str, name: str) -> None:
    header = {"title": title, "authors": [name]}
    citation = read_citation(header, "news")
    found = fields(bibtex(citation, BARE))
    assert "\n" not in found["title"] and found["version"] == "1.10.0"
    assert not re.search(r"(?<!\\)[%&#_$^~]", found["title"] + found.get("author", ""))
    assert yaml.safe_load(render_cff(citation, BARE, []))["title"] == citation.title


def test_names_with_and_stay_in_one_piece() -> None:
    authors = (Author(name="Smith and Sons"), Author(name="Smith and Jones", given="Ada"))
    assert fields(bibtex(Citation(title="a", authors=authors), BARE))["author"] == (
        "{Smith and Sons} and {Smith and Jones}, Ada"
    )


def cff(citation: Citation, *keywords: str) -> dict[str, Any]:
    found = yaml.safe_load(render_cff(citation, BARE, list(keywords)))
    assert isinstance(found, dict)
    return found


KEYS = {
    "abstract", "authors", "cff-version", "date-released", "doi", "identifiers", "keywords", "license", "message", "title",
    "type", "url", "version",
}  # fmt: skip
"""Keys of Citation File Format 1.2.0 that we use; its schema admits no others than its own."""


@pytest.mark.parametrize("citation", [FULL, Citation(title="Jekyll news archive")])
def test_the_file_has_what_the_format_requires(citation: Citation) -> None:
    found = cff(citation, "news", "news", "")
    assert {"cff-version", "message", "title", "authors"} <= found.keys() <= KEYS
    assert (found["cff-version"], found["type"], found["version"]) == ("1.2.0", "dataset", "1.10.0")
    assert found["keywords"] == ["news"], "each once"
    assert all(found.values()) and found["authors"], "at least one author"


def test_the_file_has_what_the_card_says() -> None:
    found = cff(FULL)
    assert found["authors"] == [
        {"family-names": "Lovelace", "given-names": "Ada"},
        {
            "family-names": "Hopper",
            "given-names": "Grace",
            "affiliation": "Example Institute",
            "orcid": "https://orcid.org/0000-0002-1825-0097",
        },
        {"name": "Example & Sons"},
    ]
    assert found["date-released"] == "2022-06-30" and found["license"] == "CC-BY-4.0"
    assert re.fullmatch(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+", found["doi"]), "as the schema has it"
    bare = cff(Citation(title="Finews", license="CDLA-Permissive-2.0"))
    assert bare["authors"] == [{"name": "The Finews project"}]
    assert not {"license", "doi", "url", "date-released", "keywords"} & bare.keys()
