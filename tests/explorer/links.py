"""Walk over all pages: every link, form target and file that they name."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from starlette.testclient import TestClient

__all__ = ["Page", "read_page", "walk"]


class Page(HTMLParser):
    """What a page names: addresses that it links to or loads, attributes that run code, and elements that do."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.loads: list[str] = []
        self.attributes: set[str] = set()
        self.elements: list[str] = []
        self.inline = ""
        self.text = ""
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._inside = tag
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "action", "data", "poster", "srcset"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.inline += data.strip()
        self.text += data


def read_page(client: TestClient, address: str) -> Page:
    """A page, which must answer 200."""
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code, response.text[-600:])
    return Page(response.text)


def walk(client: TestClient, start: str, most: int) -> Iterator[tuple[str, Page | None]]:
    """All pages that can be reached by links, up to a number; None for what is no page."""
    waiting, seen = [start], {start}
    while waiting and len(seen) <= most + len(waiting):
        address = waiting.pop(0)
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code, response.text[-600:])
        if not response.headers["content-type"].startswith("text/html"):
            yield address, None
            continue
        page = Page(response.text)
        yield address, page
        for link in page.links:
            link = link.partition("#")[0]
            if link.startswith("/") and link not in seen and len(seen) < most:
                seen.add(link)
                waiting.append(link)
