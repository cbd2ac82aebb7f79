"""What the card of a site takes from its `_config.yml`: title, language and address. The first archive has a card of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..storage.manifest import Manifest
from .markdown import escape, one_line
from .metadata import check_metadata

__all__ = ["SiteFacts", "facts_of_site", "is_first_archive", "with_site"]

_OWN_TITLE = "Jekyll news archive"
_HEADING = re.compile(rf"^# {_OWN_TITLE}$", re.MULTILINE)
_LONGEST = 200  # characters of a title


class SiteFacts(NamedTuple):
    """Title, language (ISO 639) and address of a site; None for what `_config.yml` does not say."""

    title: str | None
    language: str | None
    address: str | None


def is_first_archive(manifest: Manifest) -> bool:
    """Whether some posts are of the feeds of the first archive."""
    feeds: Mapping[str, int] = manifest.accounting.get("posts_by_feed", {})
    return any(feeds.get(feed) for feed in ("emnews", "market"))


def facts_of_site(manifest: Manifest) -> SiteFacts:
    """What the site says about itself; nothing of the first archive."""
    if is_first_archive(manifest):
        return SiteFacts(None, None, None)
    said = manifest.configuration
    title, address = (
        one_line(said.get(key) or "")[:_LONGEST].strip() or None for key in ("site_title", "site_address")
    )
    language = re.split("[-_]", str(said.get("site_language") or ""))[0].lower()
    known = language and not any("language" in fault for fault in check_metadata(f"language:\n- '{language}'\n"))
    web = address if address and address.startswith(("http://", "https://")) else None
    return SiteFacts(title, language if known else None, web)


def with_site(header: dict[str, Any], body: str, manifest: Manifest) -> tuple[dict[str, Any], str]:
    """Header and body of newsdata's own card with title and language of the site. A card of a curator stays as it is."""
    if header.get("pretty_name") != _OWN_TITLE:
        return header, body
    facts = facts_of_site(manifest)
    if facts.title:
        header = header | {"pretty_name": facts.title}
        body = _HEADING.sub(lambda _: f"# {escape(facts.title)}", body, count=1)
    if facts.language and "language" not in header:
        header = {"pretty_name": header["pretty_name"], "language": [facts.language]} | header
    return header, body
