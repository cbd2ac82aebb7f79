"""The Hub's rules for a header: each rule is broken once."""

from __future__ import annotations

import pytest

from newsdata.card.metadata import check_metadata, read_yaml, size_category

GOOD = """\
language: [zh, en]
license: other
license_name: none-stated
license_link: https://example.org/terms
pretty_name: News
tags: [news]
task_categories: [text-classification]
size_categories: [n<1K]
configs:
- config_name: articles
  default: true
  version: 1.0.0
  data_files:
  - {split: train, path: "articles/train-*.parquet"}
dataset_info:
- config_name: articles
  splits:
  - {name: train, num_examples: 1, num_bytes: 2}
"""


def test_a_good_header_has_no_fault() -> None:
    assert check_metadata(GOOD, ["articles/train-2021-12-0000000.parquet"]) == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[zh, en]", "[zh, no]", "language: False is not text"),
        ("[zh, en]", "zh-CN", "language: zh-CN is not an ISO 639 code"),
        ("[zh, en]", "cn", "language: cn is not an ISO 639 code"),
        ("[zh, en]", "", "language: has no value"),
        ("[zh, en]", "[zh, zh]", "language: zh is listed twice"),
        ("license: other", "license: free", "license: free is not one"),
        ("license: other", "license: mit", "license_name: is allowed only with"),
        ("license: other\n", "", "license: is missing"),
        ("license_link: https://example.org/terms\n", "", "license_link: is missing"),
        ("https://example.org/terms", "javascript:alert(1)", "license_link: javascript:alert(1) is not"),
        ("none-stated", "None stated", "license_name: None stated is not"),
        ("pretty_name: News", "pretty_name: 2022", "pretty_name: 2022 is not text"),
        ("[news]", "[news, 1.0]", "tags: 1.0 is not text"),
        ("text-classification", "classification", "task_categories: classification is not one"),
        ("n<1K", "n<2K", "size_categories: n<2K is not one"),
        ("license: other", "license: other\nlicense: mit", "license: is there twice in one map"),
        ("default: true", "default: 1", "default must be true or false"),
        ("version: 1.0.0", "version: 1.0", "version 1.0 is not of the form x.y.z"),
        ("config_name: articles\n  default", "config_name: a/b\n  default", "'a/b' is not a valid name of a config"),
        ("split: train", "split: train-a", "'train-a' is not a valid name of a split"),
        ("articles/train-*", "/articles/train-*", "is not a pattern relative"),
        ("articles/train-*", "../train-*", "is not a pattern relative"),
        ("articles/train-*", "https://example.org/*", "is not a pattern relative"),
        ("articles/train-*", "articles/test-*", "matches no file"),
        ("name: train", "name: test", "its splits differ from those of the config"),
        ("num_examples: 1", "num_examples: -1", "num_examples of train must be a whole number, 0 or more"),
        (
            "dataset_info:\n- config_name: articles",
            "dataset_info:\n- config_name: other",
            "other is not in configs",
        ),
    ],
)
def test_each_rule(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    faults = check_metadata(GOOD.replace(old, new), ["articles/train-2021-12-0000000.parquet"])
    assert any(fault in found for found in faults), faults


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: &x [*x]\nb: !!python/object:os.system {}", "[" * 5000])
def test_a_header_that_is_not_a_map_is_a_fault(text: str) -> None:
    assert check_metadata(text)


def test_size_categories() -> None:
    sizes = [size_category(rows) for rows in (0, 999, 1000, 99_999, 100_000, 10**9)]
    assert sizes == ["n<1K", "n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1B<n<10B"]


def bomb() -> str:
    """A few lines of YAML that stand for 9 to the power of 12 values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (bomb(), "has an alias (*a0)"),
        ("a: " + "[" * 50_000, "levels deep"),
        ("a:\n" + "- x\n" * 100_001, "more than 100,000 values"),
        ("a: " + "x" * 1_000_000, "more than 1,000,000 characters"),
        ('a: !!python/object/apply:os.system ["false"]', "not YAML"),
    ],
    ids=["bomb", "deep", "many", "long", "tag"],
)
def test_a_hostile_header_ends_at_once(text: str, fault: str) -> None:
    header, faults = read_yaml(text)
    assert header == {} and len(faults) == 1 and fault in faults[0]
