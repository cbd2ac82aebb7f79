"""Read YAML with every scalar as the text that is written.

No values are constructed: `1.10`, `0755`, `no` and `12:30` stay text, and a tag runs no code. The events of the C
parser are read in a loop, not by recursion, so deep nesting cannot exhaust the stack. Reading stops as soon as a limit
is passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import yaml
from frontmatter.default_handlers import YAMLHandler

__all__ = ["Alias", "Entry", "HostileYamlError", "Mapping", "Scalar", "Value", "load_yaml", "without_control"]

_MAX_DEPTH = 32
_MAX_VALUES = 20_000
_MAX_LENGTH = 262_144  # characters

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_TEXT_TAGS = ("tag:yaml.org,2002:str", "!str")
_UNTRUSTED_TAG = re.compile(r"(?:tag:yaml\.org,2002:|!)(?:python|ruby|perl|java)\b|!ruby/")


class HostileYamlError(Exception):
    """The document is nested, repeated or tagged beyond what a post can need. The message says what it holds."""


class Scalar(str):
    """The text of a scalar. `plain` is True if it is written without quotes."""

    __slots__ = ("plain",)
    plain: bool

    def __new__(cls, text: str, *, plain: bool) -> Scalar:
        """Make a scalar from its text."""
        scalar = super().__new__(cls, text)
        scalar.plain = plain
        return scalar

    def __reduce__(self) -> tuple[object, ...]:
        return _scalar, (str(self), self.plain)


def _scalar(text: str, plain: bool) -> Scalar:
    return Scalar(text, plain=plain)


class Alias(str):
    """An alias as it is written (`*name`); `target` is the value that it refers to."""

    __slots__ = ("target",)
    target: Value


class Mapping(dict[str, object]):
    """A map; keys are text. If a key is repeated, its last value counts."""


Value = Scalar | Alias | list[object] | Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the document's top map; `written` is its value as it is written in the text."""

    key: str
    value: Value
    written: str


@dataclass(slots=True)
class _Open:
    """A list or map that has not ended yet. `key` is a key without its value yet.

    `start` is where it starts in the text.
    """

    value: list[object] | Mapping
    start: int
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    """What is known of a document while it is read."""

    text: str
    root: Value | None = None
    entries: list[Entry] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Value] = field(default_factory=dict)

    def add(self, value: Value, start: int, end: int) -> None:
        """Add a complete value to the innermost list or map; `start` and `end` are its place in the text."""
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            top.key = str(value) if isinstance(value, str) else self.text[start:end].strip()
            if isinstance(value, Scalar) and value == "<<" and not value.plain:
                top.key = '"<<"'  # in quotes it is not a merge key
        else:
            top.value[top.key] = value
            if len(self.stack) == 1:
                self.entries.append(Entry(key=top.key, value=value, written=self.text[start:end].strip()))
            top.key = None


class _TextLoader(yaml.CSafeLoader):
    """A loader for `yaml.load`, which calls `get_single_data`: the first document, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def get_single_data(self) -> tuple[Value | None, list[Entry]]:
        """The document, and the entries of its top map."""
        reader = _Reader(self._text)
        for number, (event, start, end) in enumerate(self._events()):
            if number > _MAX_VALUES:
                raise HostileYamlError(f"more than {_MAX_VALUES:,} values")
            if isinstance(event, yaml.CollectionEndEvent):
                closed = reader.stack.pop()
                reader.add(cast("Value", closed.value), closed.start, end)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in reader.anchors:
                    raise yaml.YAMLError(f"the alias *{event.anchor} stands for nothing")
                alias = Alias(f"*{event.anchor}")
                alias.target = reader.anchors[event.anchor]
                reader.add(alias, start, end)
            elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
                if event.tag and _UNTRUSTED_TAG.match(event.tag):
                    raise HostileYamlError(f"the tag {event.tag[:60]}, which could run code")
                value: Value
                if isinstance(event, yaml.ScalarEvent):
                    value = Scalar(event.value, plain=not event.style and event.tag not in _TEXT_TAGS)
                    reader.add(value, start, end)
                else:
                    if len(reader.stack) >= _MAX_DEPTH:
                        raise HostileYamlError(f"more than {_MAX_DEPTH} levels of nesting")
                    value = Mapping() if isinstance(event, yaml.MappingStartEvent) else []
                    reader.stack.append(_Open(value, start))
                if event.anchor:
                    reader.anchors[event.anchor] = value
        return reader.root, reader.entries

    def _events(self) -> Iterator[tuple[yaml.Event, int, int]]:
        """The events of the first document, each with its start and end in the text."""
        while True:
            event = self.get_event()
            if isinstance(event, yaml.DocumentEndEvent | yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                assert event.start_mark is not None and event.end_mark is not None
                yield event, event.start_mark.index, event.end_mark.index


def load_yaml(text: str) -> tuple[Value | None, list[Entry]]:
    """Read the first YAML document of `text`. Returns its value, and the entries of its top map in written order.

    Raises:
        yaml.YAMLError: the text is not YAML.
        HostileYamlError: the document passes a limit, or has a tag that would run code.

    >>> load_yaml("title: 1.10\\ntags: [a, 'b c']")[0]
    {'title': '1.10', 'tags': ['a', 'b c']}
    """
    if len(text) > _MAX_LENGTH:
        raise HostileYamlError(f"more than {_MAX_LENGTH:,} characters")
    return cast("tuple[Value | None, list[Entry]]", YAMLHandler().load(text, Loader=_TextLoader))


def without_control(text: str) -> str:
    """Remove the characters that YAML refuses.

    >>> without_control("a\\x0bb")
    'ab'
    """
    return _CONTROL.sub("", text)
