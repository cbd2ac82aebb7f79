"""The citation of a version in the formats that tools read: BibTeX, and CITATION.cff (Citation File Format 1.2.0)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import yaml

from ..storage.manifest import Manifest
from .citation import Author, Citation
from .contents import content_digest, summarize

__all__ = ["CITATION_NAME", "bibtex", "render_cff"]

CITATION_NAME = "CITATION.cff"

_LONGEST_KEY = 40
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{letter: f"\\{letter}" for letter in "%&#_$"},
}
_NEWER_THAN_CFF = ("CDLA-Permissive-2.0",)
"""Licences that SPDX listed after Citation File Format 1.2.0, which refuses them."""


def bibtex(citation: Citation, manifest: Manifest) -> str:
    """The BibTeX entry of a version. Its key names the dataset, and the year if that is known.

    >>> manifest = Manifest(dataset_version="1.0.0", schema_version="1.0", configuration={}, source={},
    ...     tools={}, accounting={}, columns={}, shards=())
    >>> citation = Citation(title="Finews", authors=(Author(name="Lovelace", given="Ada"),), year=2022)
    >>> print("\\n".join(bibtex(citation, manifest).splitlines()[:4]))
    @misc{finews_2022,
      author = {Lovelace, Ada},
      title = {{Finews}},
      year = {2022},
    """
    version = manifest.dataset_version
    fields = {
        "author": " and ".join(map(_author, citation.authors)),
        "title": f"{{{_tex(citation.title)}}}",
        "year": str(citation.year or ""),
        "howpublished": "Dataset",
        "version": version,
        "doi": citation.doi or "",
        "url": citation.url or "",
        "note": f"Version {version}, content digest {content_digest(manifest)}",
    }
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join([f"@misc{{{_key(citation)},", *lines, "}"])


def render_cff(citation: Citation, manifest: Manifest, keywords: list[str]) -> str:
    """The text of `CITATION.cff`.

    The format requires an author. If the card names none, they are named as its guide advises: by the title of the work.

    Args:
        citation: of the dataset.
        manifest: of the version.
        keywords: for example the tags of the card.
    """
    known = citation.license not in _NEWER_THAN_CFF
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": citation.title,
        "version": manifest.dataset_version,
        "authors": [_cff_author(author) for author in citation.authors] or [{"name": f"The {citation.title} project"}],
        "date-released": citation.date_published,
        "doi": citation.doi,
        "url": citation.url,
        "license": citation.license if known else None,
        "abstract": summarize(manifest),
        "keywords": list(dict.fromkeys(word for word in keywords if isinstance(word, str) and word)),
        "identifiers": [
            {
                "type": "other",
                "value": content_digest(manifest),
                "description": f"digest of the content of version {manifest.dataset_version}",
            }
        ],
    }
    filled = {key: value for key, value in document.items() if value}
    return yaml.safe_dump(filled, allow_unicode=True, sort_keys=False, width=1000)


def _author(author: Author) -> str:
    """An author in BibTeX. Braces keep a name in one piece, where an "and" in it would make it two."""
    if author.given is None:
        return f"{{{_tex(author.name)}}}"
    parts = (author.name, author.given)
    return ", ".join(f"{{{_tex(part)}}}" if " and " in part.lower() else _tex(part) for part in parts)


def _cff_author(author: Author) -> dict[str, str]:
    named = {"name": author.name}
    if author.given is not None:
        named = {"family-names": author.name, "given-names": author.given}
        if author.affiliation:
            named["affiliation"] = author.affiliation
    if author.orcid:
        named["orcid"] = f"https://orcid.org/{author.orcid}"
    return named


def _key(citation: Citation) -> str:
    """The key of the BibTeX entry: title and year. A title without Latin letters gives none; the repository then does."""
    name = next(filter(None, map(_slug, (citation.title, citation.repository or ""))), "dataset")
    return f"{name}_{citation.year}" if citation.year else name


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    while len(words) > 1 and len("_".join(words)) > _LONGEST_KEY:
        words.pop()
    return "_".join(words)[:_LONGEST_KEY]


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in " ".join(text.split()))
