"""What `_config.yml` says about the site itself: its name, language and address, and how it cuts excerpts."""

from __future__ import annotations

import re
from typing import NamedTuple

from .permalinks import NO_PERMALINK, post_template
from .yaml_text import Alias, Mapping, Scalar

__all__ = ["SiteSettings", "language", "plain_value", "read_settings"]

_MAX_DEPTH = 4
_MAX_LENGTH = 1000  # characters of a setting
_PLUGINS = re.compile(r"permalink|polyglot|language|multilingual|i18n|slug|\burl", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


class SiteSettings(NamedTuple):
    """The settings; the fields are those of `newsdata.schema.Site`."""

    title: str | None = None
    lang: str | None = None
    address: str = ""
    permalink: str = ""
    excerpt_separator: str | None = None


def read_settings(values: Mapping) -> SiteSettings:
    """Read the settings.

    Args:
        values: of `_config.yml`.

    >>> read_settings(Mapping(url="https://a.example/", baseurl="/b", permalink="pretty", lang="zh_CN"))[1:4]
    ('zh_CN', 'https://a.example/b', '/:categories/:year/:month/:day/:title/')
    """
    return SiteSettings(
        title=_text(values.get("title")) or _text(values.get("name")),
        lang=next((lang for key in ("lang", "language", "locale") if (lang := language(values.get(key)))), None),
        address=_address(values),
        permalink=_template(values),
        excerpt_separator=_separator(values.get("excerpt_separator")),
    )


def language(value: object) -> str | None:
    """A language tag as written; None if the value is none.

    >>> language("zh-Hans"), language("the language of the site")
    ('zh-Hans', None)
    """
    text = _text(value)
    return text if text and _LANGUAGE.fullmatch(text) else None


def _address(values: Mapping) -> str:
    """The address of the site, without a slash at its end."""
    url, below = (_text(values.get(key)) or "" for key in ("url", "baseurl"))
    below = below.strip("/")
    return url.rstrip("/") + (f"/{below}" if below else "")


def _template(values: Mapping) -> str:
    """The template of the addresses of posts; `NO_PERMALINK` if a plug-in decides."""
    plugins = [name for key in ("plugins", "gems") for name in _names(plain_value(values.get(key)))]
    if any(_PLUGINS.search(name) for name in plugins):
        return NO_PERMALINK
    permalink: object = values.get("permalink")
    collections = plain_value(values.get("collections"))
    posts = collections.get("posts") if isinstance(collections, dict) else None
    if isinstance(posts, dict) and posts.get("permalink"):
        return str(posts["permalink"])  # the name of a style means nothing here
    return post_template(_text(permalink))


def _names(value: object) -> list[str]:
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _separator(value: object) -> str | None:
    plain = plain_value(value)
    return plain[:_MAX_LENGTH] if isinstance(plain, str) and plain else None


def _text(value: object) -> str | None:
    """A setting as one line of text; None if it is none."""
    plain = plain_value(value)
    return " ".join(plain.split())[:_MAX_LENGTH] or None if isinstance(plain, str) else None


def plain_value(value: object, depth: int = 0) -> object:
    """A value of the configuration as Python holds it; beyond a few levels nothing is looked at.

    >>> plain_value([Scalar("yes", plain=True), Scalar("yes", plain=False)])
    [True, 'yes']
    """
    if isinstance(value, Alias):
        return plain_value(value.target, depth + 1)
    if isinstance(value, Scalar):
        word = value.lower() if value.plain else ""
        if word in ("false", "no", "off"):
            return False
        if word in ("true", "yes", "on"):
            return True
        return None if value.plain and word in ("", "~", "null") else str(value)
    if isinstance(value, str):
        return value
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {key: plain_value(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [plain_value(one, depth + 1) for one in value]
    return None
