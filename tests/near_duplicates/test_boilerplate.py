"""The list of boilerplate: what is put on it, and that the steps on files give what one pass gives."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from newsdata.near_duplicates import boilerplate as boilerplate_module
from newsdata.near_duplicates.boilerplate import (
    Boilerplate,
    choose_sample,
    count,
    find_boilerplate,
    range_bits,
    spill,
    spill_frames,
)
from newsdata.near_duplicates.shingles import shingle

from .made_articles import fund, words


def test_what_stands_on_twenty_days_is_boilerplate() -> None:
    line = "本网站所有内容仅供参考不构成投资建议"
    often = find_boilerplate((day, words(day) + "\n" + line) for day in range(20))
    assert often.holds(shingle([line]).hashes).all()
    seldom = find_boilerplate((day % 19, words(day) + "\n" + line) for day in range(40))
    assert not seldom.holds(shingle([line]).hashes).any()


def test_the_frame_of_a_form_is_boilerplate_on_a_single_day() -> None:
    rng = random.Random(1)
    found = find_boilerplate((19000, fund(k, rng)) for k in range(30))
    assert found.holds(shingle(["近一个月收益率为"]).hashes).all()


def test_a_much_reprinted_story_is_no_form() -> None:
    story = words(5, 600)
    copies = [f"{words(100 + k, 24)}{story}{words(200 + k, 24)}" for k in range(40)]
    found = find_boilerplate((19000, text) for text in copies)
    assert not found.holds(shingle([story]).hashes).any()


def test_boilerplate_is_frozen_and_blind_to_order(tmp_path: Path) -> None:
    rng = random.Random(2)
    sample = [(19000 + k % 3, fund(k, rng)) for k in range(40)]
    found = find_boilerplate(sample)
    assert len(found.hashes) > 5
    assert find_boilerplate(reversed(sample)).digest == found.digest
    found.save(tmp_path / "list")
    again = Boilerplate.load(tmp_path / "list")
    assert again.digest == found.digest
    assert np.array_equal(again.hashes, found.hashes)
    assert len(find_boilerplate([]).hashes) == 0


def test_the_sample_does_not_depend_on_order_and_has_its_size() -> None:
    ids = [f"{k:018d}" for k in range(500)]
    found = choose_sample(pa.array(ids), 50)
    backwards = choose_sample(pa.array(ids[::-1]), 50)
    assert {ids[at] for at in found} == {ids[::-1][at] for at in backwards}
    assert len(set(found.tolist())) == 50
    assert set(found.tolist()) <= set(choose_sample(pa.array(ids), 60).tolist())


@pytest.mark.parametrize("at_once", [1 << 20, 1000])
def test_steps_on_many_files_find_what_one_pass_finds(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boilerplate_module, "_COUNTED_AT_ONCE", at_once)
    monkeypatch.setattr(boilerplate_module, "_READ_AT_ONCE", at_once)
    rng = random.Random(4)
    line = "本网站所有内容仅供参考不构成投资建议"
    sample = [(19000 + k % 25, fund(k, rng) + "\n" + line) for k in range(60)] + [(5, ""), (6, words(1, 5000))]
    expected = find_boilerplate(sample)
    parts = [
        spill([[text for _, text in sample[at : at + 9]]], tmp_path / f"part-{at}") for at in range(0, len(sample), 9)
    ]
    days = np.array([day for day, _ in sample])
    bits = range_bits(parts)
    assert bits == 1 or at_once == 1000
    counted = [count(parts, bits, number, days) for number in range(1 << bits)]
    common = Boilerplate.of(np.concatenate([often for often, _ in counted]))
    frames = [spill_frames(part, common, tmp_path / f"frame-{number}") for number, part in enumerate(parts)]
    framed = [count(frames, bits, number)[0] for number in range(1 << bits)]
    found = Boilerplate.of(np.concatenate([*(by_day for _, by_day in counted), *framed]))
    assert len(expected.hashes) > 20 and found.digest == expected.digest
