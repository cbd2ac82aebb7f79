"""Values of a front matter: what is not text, and lists of names."""

from __future__ import annotations

import json

import pytest

from newsdata.parsing.front_matter_values import is_false, is_null, is_text, merged, names
from newsdata.parsing.yaml_text import HostileYamlError, Mapping, load_yaml

from .headers import other


def value(text: str) -> object:
    root, _ = load_yaml(f"key: {text}")
    assert isinstance(root, Mapping)
    return root["key"]


@pytest.mark.parametrize("text", ["", "~", "null", "NULL"])
def test_null_is_false(text: str) -> None:
    assert is_null(value(text)) and is_false(value(text))


@pytest.mark.parametrize(
    ("text", "false"),
    [("no", True), ("Off", True), ("false", True), ("'no'", False), ("n", False), ("0", False), ("[]", False)],
)
def test_what_ruby_treats_as_false(text: str, false: bool) -> None:
    assert is_false(value(text)) is false and not is_null(value(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            (text, False)
            for text in (
                "yes",
                "0x1f",
                "0b1",
                "1_000",
                "-.5",
                "1.5e-3",
                ".nan",
                "12:30:45",
                "2015-01-02 10:11:12 Z",
            )
        ),
        *((text, True) for text in ("y", "1e5", "1e+5", "1.2.3", "12:75", "2015-01", "'1'", '"yes"', "a1", "0xg")),
    ],
)
def test_what_psych_reads_as_text(text: str, expected: bool) -> None:
    found = value(text)
    assert isinstance(found, str) and is_text(found) is expected


def test_merge_keys_are_applied_in_order() -> None:
    root, _ = load_yaml("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {x: 0, <<: [*a, *b]}\n")
    assert isinstance(root, Mapping) and isinstance(root["c"], Mapping)
    assert merged(root["c"]) == {"x": "1", "y": "1", "z": "2"}
    chain, _ = load_yaml(
        "c0: &c0 {}\n" + "".join(f"c{i}: &c{i} {{<<: *c{i - 1}}}\n" for i in range(1, 20)) + "<<: *c19"
    )
    assert isinstance(chain, Mapping)
    with pytest.raises(HostileYamlError, match="merge keys"):
        merged(chain)


def test_too_many_names_are_hostile() -> None:
    with pytest.raises(HostileYamlError, match="10,000 names"):
        names(["a"] * 10_001, None, [], split=True)


@pytest.mark.parametrize("written", ["1.10", "0755", "12:30", "no", "null", "On", "2015", "2015-01-01", "1_000"])
def test_a_value_that_is_not_text_is_taken_as_written(written: str) -> None:
    header = other(f"title: {written}\ncategories: {written}\ntags: [{written}, b]")
    if written != "null":
        assert (header.title, header.categories, header.tags) == (written, (written,), (written, "b"))
    assert header.title == written
    assert "value-not-text" in header.issues
    assert json.loads(header.front_matter)["title"] == written


@pytest.mark.parametrize(
    ("front", "categories", "tags"),
    [
        ("categories: a b\ntags: c d", ("a", "b"), ("c", "d")),
        ("categories: [a b, c]\ntags:\n- a b\n- c", ("a b", "c"), ("a b", "c")),
        ("category: a b\ntag: c d", ("a b",), ("c d",)),
        ("categories: a\ncategory: b\ntags: c\ntag: d", ("a", "b"), ("d",)),
        ("categories: a a\ntags: [b, b]", ("a",), ("b", "b")),
        ("categories: a　b\ntags: a\u00a0b", ("a　b",), ("a\u00a0b",)),
        ("categories:\ntags: ~", (), ()),
        ("category: [a, b]\ntag: [c, [d]]", ("a", "b"), ("c", "d")),
        ("x: &x [a, b]\ncategories: *x\ntags: *x", ("a", "b"), ("a", "b")),
        ("x: &x {tags: a, categories: b}\n<<: *x", ("b",), ("a",)),
        ("tags: {a: b}", (), ("{a: b}",)),
    ],
)
def test_categories_and_tags(front: str, categories: tuple[str, ...], tags: tuple[str, ...]) -> None:
    header = other(front)
    assert (header.categories, header.tags) == (categories, tags)
