"""The scale model: what a build of any size will cost, from builds that were measured."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from newsdata.building.stages import merge as merge_stage
from newsdata.graph.engine import partitions_of
from newsdata.storage import manifest

from ..conftest import ROOT

SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

import scale_limits  # noqa: E402
import scale_measure  # noqa: E402
import scale_model  # noqa: E402
from scale_measure import Measured, Sample  # noqa: E402
from scale_model import Asked  # noqa: E402

A_PART = 1e-6  # seconds for each post, of one more partition


def sample(posts: int, partitions: int = 1) -> Sample:
    """A build whose costs follow laws that a reader can compute."""
    return Sample(
        posts=posts,
        articles=posts * 7 // 10,
        candidates=posts // 10,
        partitions=partitions,
        cpu={
            "list": 1 + 5e-5 * posts,
            "parse": 0.5 + 5e-4 * posts,
            "group": 4e-6 * posts + (partitions - 1) * A_PART * posts,
            "write": 1e-4 * posts,
        },
        driver={"list": 50.0, "parse": 40.0},
        tree={"list": 100.0, "parse": 300.0},
        again=1 + 1e-5 * posts,
        source=4000 * posts,
        stored={"version": 2000 * posts, "spool": 1600 * posts, "keys": 100 * posts, "signatures": 1800 * posts},
    )


def made_up() -> Measured:
    return Measured(samples=[sample(posts, parts) for posts in (10_000, 40_000) for parts in (1, 16)])


def test_costs_follow_the_laws() -> None:
    made = scale_model.predict(made_up(), Asked(posts=400_000, price=2.0))
    steps = {step.name: step for step in made.steps}
    assert steps["list"].cpu == pytest.approx(1 + 20)
    assert steps["list"].alone == pytest.approx(1 + 4)  # hashing is shared
    assert steps["parse"].cpu == pytest.approx(0.5 + 200)
    assert steps["parse"].alone == pytest.approx(0.5)
    assert steps["write"].exponent == pytest.approx(1)
    assert made.source == pytest.approx(1.6e9)
    assert made.stored == pytest.approx(400_000 * 5500)
    assert made.moved == pytest.approx(2 * made.source + made.stored + 400_000 * (2 * 1600 + 100 + 2 * 1800))
    assert made.driver == pytest.approx(50e6 + 40 * 360_000)
    assert made.tree == pytest.approx(300e6 + 40 * 360_000)
    assert made.cpu == pytest.approx(sum(step.cpu for step in made.steps))
    assert made.wall == pytest.approx(made.cpu)  # one core
    assert made.cost == pytest.approx(made.wall / 3600 * 2)


def test_comparing_grows_faster_than_the_archive() -> None:
    one = scale_model.predict(made_up(), Asked(posts=400_000, partitions=1))
    ten = scale_model.predict(made_up(), Asked(posts=4_000_000, partitions=1))
    assert ten.candidates / one.candidates == pytest.approx(10**1.36)
    assert {step.name: step.exponent for step in ten.steps}["group"] > 1.2


def test_memory_grows_where_pairs_are_decided() -> None:
    largest = replace(sample(40_000), tree={"parse": 300.0, "group": 290.0})
    made = scale_model.predict(Measured(samples=[sample(10_000), largest]), Asked(posts=4_000_000, partitions=1))
    grown = 40 * 3_960_000 + 210 * 0.7 * 3_960_000 + 50 * (4000 * 100**1.36 - 4000)
    assert made.tree == pytest.approx(290e6 + grown)


def test_every_partition_reads_all_keys() -> None:
    group = [
        next(s.cpu for s in scale_model.predict(made_up(), Asked(posts=1_000_000, partitions=p)).steps if s.name == "group")
        for p in (1, 2, 11)
    ]  # fmt: skip
    assert group[1] - group[0] == pytest.approx(A_PART * 1e6)
    assert group[2] - group[0] == pytest.approx(10 * A_PART * 1e6)


def test_more_cores_take_less_time_until_one_process_is_left() -> None:
    walls = [
        scale_model.predict(made_up(), Asked(posts=10**6, machines=machines, cores=16)).wall
        for machines in (1, 2, 1000)
    ]
    assert walls[0] > walls[1] > walls[2] > 0
    made = scale_model.predict(made_up(), Asked(posts=10**6, machines=10**6, cores=16))
    assert made.wall >= sum(step.alone for step in made.steps)


def test_a_part_is_never_negative() -> None:
    falling = Measured(samples=[sample(1000), replace(sample(2000), cpu={"parse": 0.1})])
    assert all(step.cpu >= 0 for step in scale_model.predict(falling, Asked(posts=10**10)).steps)


def test_limits_are_those_of_the_code() -> None:
    found = scale_limits.limits(
        memory=64e9,
        cores=16,
        articles_a_post=0.7,
        bytes_a_post=4000,
        partitions=partitions_of,
        candidates=lambda posts: posts / 10,
    )
    at = {one.why: one.posts for one in found}
    assert [one.posts for one in found] == sorted(at.values())
    assert at["article ids in one pa.string, 2 GiB"] == pytest.approx(1.7e8, rel=0.01)
    assert at["all articles' keys in each worker, 160 B"] == pytest.approx(64e9 / (16 * 160 * 0.7), rel=0.02)
    assert at["positions of posts in int32"] == 2**31 - 1
    assert merge_stage._ARTICLES.field("article_id").type == pa.string()
    assert merge_stage._MEMBERS.field("members").type == pa.int32()
    assert manifest._MOST_SHARDS == scale_limits.MOST_SHARDS
    assert at["all compared pairs in one task, 50 B"] == pytest.approx(64e9 / 5, rel=0.01)
    (unpacked,) = [one for one in found if one.only_if]
    assert unpacked.posts == pytest.approx(64 * 2**30 / 4000)


def test_more_memory_moves_its_limits_only() -> None:
    def found(memory: float) -> dict[str, float]:
        limits = scale_limits.limits(
            memory=memory,
            cores=4,
            articles_a_post=0.7,
            bytes_a_post=4000,
            partitions=partitions_of,
            candidates=lambda posts: posts / 10,
        )
        return {one.why: one.posts for one in limits}

    small, large = found(8e9), found(64e9)
    moved = {why for why in small if large.get(why) != small[why]}
    assert moved == {why for why in small if why.endswith((" B", "memory"))}


@pytest.mark.parametrize("posts", [1000, 10**6, 10**10])
def test_the_table_fits_a_terminal(posts: int) -> None:
    shown = scale_model.show(scale_model.predict(made_up(), Asked(posts=posts, machines=64, cores=16, price=0.8)))
    assert max(map(len, shown.splitlines())) <= 80
    assert ("breaks first" in shown) == (posts == 10**10)


def test_check_says_how_far_a_prediction_is_off() -> None:
    other = Measured(samples=[replace(sample(20_000), driver={"list": 100.0})])
    rows = {str(row["what"]).strip(): row["off"] for row in scale_model.check(made_up(), other)}
    assert rows["parse s"] == "+0%"
    assert rows["disk MB"] == "+0%"
    assert rows["driver MB"] == "-51%"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "scale_model.py"), *options], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_command(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    scale_measure.save(made_up(), file)
    assert scale_measure.load(file) == made_up()
    done = run("--posts", "1000000", "--machines", "2", "--cores", "4", "--measured", str(file), "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["asked"]["posts"] == 10**6
    assert found["partitions"] == 2
    assert {"cpu", "wall", "cost", "driver", "tree", "moved", "stored", "steps", "limits"} <= set(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is not a file of measured builds"),
        ('{"samples": [], "format": "another"}', "has the format 'another'"),
        ('{"samples": [], "format": "newsdata scale 1"}', "at least two sizes"),
    ],
)
def test_wrong_files_are_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    file.write_text(content)
    done = run("--posts", "1000", "--measured", str(file))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_measures_real_builds(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    done = run("--posts", "1000", "--sizes", "200,400", "--save", str(file), "--json")
    assert done.returncode == 0, done.stderr
    measured = scale_measure.load(file)
    assert [(one.posts, one.partitions) for one in measured.samples] == [(200, 1), (200, 16), (400, 1)]
    for one in measured.samples:
        assert {"list", "parse", "sign", "group", "write"} <= set(one.cpu)
        assert sum(one.cpu.values()) > 0.5
        assert 20 < max(one.driver.values()) < 1000
        assert max(one.tree.values()) >= 20
        assert one.stored["version"] > 100 * one.posts
        assert one.stored["spool"] > 500 * one.posts
    assert measured.samples[0].stored["version"] == measured.samples[1].stored["version"]
    assert json.loads(done.stdout)["cpu"] > 0


@pytest.mark.parametrize("module", [scale_model, scale_limits])
def test_examples_in_docstrings(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.slow
def test_a_failed_build_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with \d"):
        scale_measure.measure_build(tmp_path / "nothing", tmp_path / "out", None)
