"""YAML as text: scalars as they are written, and hostile documents."""

from __future__ import annotations

import pytest
import yaml

from newsdata.parsing.front_matter import Header, read_header
from newsdata.parsing.yaml_text import Alias, HostileYamlError, Mapping, Scalar, load_yaml
from newsdata.schema import REJECT_RULES

from .headers import OTHER, SHANGHAI, rejected


def test_scalars_are_text_as_written() -> None:
    root, entries = load_yaml("a: 0755\nb: 'no'\nc: [1.10, {d: ~}]\n")
    assert root == {"a": "0755", "b": "no", "c": ["1.10", {"d": "~"}]}
    assert [(entry.key, entry.written) for entry in entries] == [("a", "0755"), ("b", "'no'"), ("c", "[1.10, {d: ~}]")]
    plain = [isinstance(entry.value, Scalar) and entry.value.plain for entry in entries]
    assert plain == [True, False, False]


def test_an_alias_keeps_its_name_and_its_target() -> None:
    root, _ = load_yaml("a: &x [b]\nc: *x\n")
    assert isinstance(root, Mapping)
    alias = root["c"]
    assert isinstance(alias, Alias) and alias == "*x" and alias.target is root["a"]
    with pytest.raises(yaml.YAMLError, match=r"\*y stands for nothing"):
        load_yaml("a: *y")


def test_a_repeated_key_has_its_last_value() -> None:
    root, entries = load_yaml("a: 1\nb: 2\na: 3")
    assert root == {"a": "3", "b": "2"} and [entry.key for entry in entries] == ["a", "b", "a"]


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 33, "x" * 262_145, "[" + "a," * 20_001 + "]", "!!python/name:os.system x", "!ruby/object:A {}"],
)
def test_documents_above_a_limit_are_hostile(text: str) -> None:
    with pytest.raises(HostileYamlError):
        load_yaml(text)


# ------------------------------------------------------------------------------------ hostile front matter

_BOMB = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))


_MERGES = "m0: &m0 {title: x}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}]}}\n" for i in range(1, 12)
)


_CHAIN = "c0: &c0 {title: x}\n" + "".join(f"c{i}: &c{i} {{<<: *c{i - 1}}}\n" for i in range(1, 3000))


HOSTILE = {
    "flow": "a: " + "[" * 100_000,
    "flow maps": "{a: " * 100_000,
    "blocks": "- " * 100_000,
    "keys": "? " * 100_000,
    "indents": "".join(" " * i + "a:\n" for i in range(700)),
    "a megabyte of brackets": "[" * 1_000_000,
    "a megabyte of dashes": "- " * 500_000,
    "aliases": _BOMB + "tags: *a11",
    "aliases in the title": _BOMB + "title: *a11",
    "an alias to itself": "tags: &a [*a, *a]",
    "merges": _MERGES + "<<: *m11",
    "merges on and on": _CHAIN + "<<: *c2999",
    "a merge with itself": "a: &a {<<: *a}\n<<: *a",
    "many keys": "".join(f"k{i}: v\n" for i in range(60_000)),
    "one key often": "title: @x\n" * 1_600,
    "a long title": "title: " + "x " * 500_000,
    "a long word": "a" + " " * 16_000,
    "quotes": 'title: "' + 'a "' * 5_000,
    "colons": "a: " * 80_000,
    "control characters": "\x07" * 200_000,
    "line separators": "a: b: c\u2028" * 20_000,
    "escapes": 'a: "' + "\\u4e2d" * 40_000 + '"',
    "a long date": "date: " + "1 :" * 40_000,
    "many tags": "tags: [" + "a," * 19_000 + "]",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("own_feed", [False, True])
def test_hostile_front_matter_is_read_or_rejected(name: str, own_feed: bool) -> None:
    data = f"---\n{HOSTILE[name]}\n---\nText".encode()
    found = read_header(data, OTHER, SHANGHAI, own_feed=own_feed)
    if isinstance(found, Header):
        assert len(found.front_matter) < 4 * len(data) + 100  # nothing is multiplied
    else:
        assert found.rule in REJECT_RULES


@pytest.mark.parametrize("name", ["flow", "flow maps", "blocks", "keys", "indents", "aliases", "merges on and on"])
def test_front_matter_above_a_limit_is_rejected_as_hostile(name: str) -> None:
    assert rejected(f"---\n{HOSTILE[name]}\n---\nText".encode()).rule == "front-matter-hostile"
