"""From an answer to HTML. Templates escape every value, and letters that do not show are made visible in all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .answers import Answer, name_in_address
from .text_parts import Verbatim, visible
from .view import View

__all__ = ["FOLDER", "Renderer", "around"]

FOLDER = Path(__file__).parent


class Renderer:
    """Makes pages from templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
        )
        self._environment.filters |= {
            "number": _number, "percent": _percent, "moment": _moment, "verbatim": Verbatim, "web": _web_address,
            "in_query": lambda text: quote(str(text), safe=""), "in_path": lambda name: name_in_address(str(name)), "plural": _plural,
        }  # fmt: skip

    def page(self, answer: Answer, site: Mapping[str, Any]) -> str:
        """An answer as HTML. `site`: what every page shows around it."""
        return self._environment.get_template(f"{answer.template}.html").render(
            **answer.facts, page_title=answer.title, **site
        )


def around(view: View | None, base: str, versions: list[tuple[str, str, bool]]) -> dict[str, Any]:
    """What every page shows: name of the dataset, version, banners, and the menu of versions."""
    return {
        "base": base,
        "view": view,
        "dataset_name": str((view.facts.get("pretty_name") if view else None) or "newsdata"),
        "versions": versions,
        "has_text": view.opened.has_text if view else True,
        "zone": view.opened.zone_name if view else "UTC",
    }


def _finalize(value: Any) -> Any:
    """What a template prints: text with visible letters; None is an error of the template, so it is shown."""
    if isinstance(value, Markup | Verbatim) or not isinstance(value, str):
        return value
    return visible(value)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _percent(part: Any, whole: Any) -> str:
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.2g} %"


def _moment(value: datetime | None) -> str:
    """A local time, with seconds only if there are some."""
    if value is None:
        return "no date"
    return f"{value:%Y-%m-%d %H:%M}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _web_address(address: Any) -> str:
    """An address that a link may lead to: http or https; else ""."""
    text = str(address or "").strip()
    return text if text.lower().startswith(("http://", "https://")) else ""
