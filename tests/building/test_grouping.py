"""Near-copies in a build: grouped, frozen, kept on one side, and measured."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import newsdata

from ..conftest import many_posts, post, write_archive

STORY = "".join(
    f"<p>{who}今日公告第{number}期产线在河湾新区投产，{what}，预计全年新增产值{number * 3 + 7}亿元，带动就业{number * 41}人。</p>"
    for number, (who, what) in enumerate(
        [("青岚股份", "首批冷柜已经下线"), ("松陵重工", "吊机出口订单饱满"), ("砚川医药", "新药进入三期临床"),
         ("远岫汽车", "电池供应趋于稳定"), ("沐野传媒", "剧集版权售往海外")], start=3,
    )
)  # fmt: skip


def story(day: str, number: int, text: str = STORY, title: str = "产线投产") -> dict[str, bytes]:
    identity = f"{day.replace('-', '')}{number:010d}"
    body = f"> 产线投产。（河湾日报）\n\n{text}\n\n<http://news.example/{identity}.html>\n"
    return {f"_posts/{day}-{identity}.md": post(title=title, date=f"{day} 09:00:00 +0800", body=body)}


REPRINT = "<p>本报记者获悉，多家公司发布进展。</p>" + STORY.replace("今日公告", "近日披露")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("in")
    files = many_posts(40) | story("2022-03-05", 77) | story("2022-04-07", 78, REPRINT, "多家公司产线投产")
    newsdata.build(write_archive(archive, files), archive / "out", num_proc=1)
    write_archive(archive, many_posts(6, start_day=41) | story("2022-04-12", 79, STORY, "产线投产进展"))
    newsdata.build(archive, archive / "out", num_proc=1)
    return archive / "out"


@pytest.mark.slow
def test_a_copy_in_a_later_split_is_set_aside(out: Path) -> None:
    excluded = newsdata.load_pandas(out, "excluded", split="excluded", revision="1.0.0")
    assert excluded.article_id.tolist() == ["202204070000000078"]
    assert excluded.excluded_reason.tolist() == ["straddle"]
    assert excluded.leak_group.tolist() == ["202203050000000077"]  # the first-ingested member's id
    found = newsdata.where(out, "202204070000000078", revision="1.0.0")
    assert found.why == "excluded: straddle, as a copy of 202203050000000077 of train; read from one post"


@pytest.mark.slow
def test_template_siblings_stay_apart(out: Path) -> None:
    articles = newsdata.load_pandas(out, revision="1.0.0")
    flashes = articles[articles.title.str.contains("库存")]
    assert len(flashes) > 100 and flashes.duplicate_cluster.is_unique


@pytest.mark.slow
def test_old_ids_and_splits_stay_when_copies_arrive(out: Path) -> None:
    before, after = (newsdata.load_pandas(out, revision=v).set_index("article_id") for v in ("1.0.0", "1.1.0"))
    for column in ("duplicate_cluster", "leak_group", "fold", "split"):
        assert (after.loc[before.index, column] == before[column]).all()
    late = newsdata.load_pandas(out, "excluded", split="excluded", revision="1.1.0").set_index("article_id")
    assert late.leak_group["202204120000000079"] == "202203050000000077"
    assert newsdata.verify(out).faults == ()


@pytest.mark.slow
def test_the_leak_is_measured_beside_a_random_split(out: Path) -> None:
    leakage = newsdata.info(out)["leakage"]
    assert {(row["split"], row["against"]) for row in leakage["pairs"]} >= {("test", "train"), ("validation", "train")}
    assert all(row["leak_j50"] == 0 for row in leakage["pairs"])
    assert [row["rows"] for row in leakage["pairs"]] == [row["rows"] for row in leakage["random"]]
    assert {"202203050000000077", "202204070000000078"} <= {
        e[side] for e in leakage["examples"] for side in ("left", "right")
    }


def test_the_boilerplate_list_is_frozen(out: Path) -> None:
    first, second = ((out / v / "boilerplate.bin").read_bytes() for v in ("1.0.0", "1.1.0"))
    assert first == second


def test_a_translation_that_leaves_a_list_as_it_is_is_no_copy(tmp_path: Path) -> None:
    changes = "\n".join(f"- change{k} of module{k * 3} by author{k * 7}" for k in range(60))
    told = {"en": "harbour", "fr": "havre", "de": "harbour"}
    files = {
        f"{lang}/news/_posts/2022-03-05-{lang}-version-4.md": (
            f"---\ntitle: Shoreline 4\n---\n{' '.join(f'{word}{k}' for k in range(30))}\n\n{changes}\n"
        ).encode()
        for lang, word in told.items()
    }
    out = newsdata.build(write_archive(tmp_path / "in", files), tmp_path / "out", num_proc=1).path.parent
    rows = newsdata.load_pandas(out, split="all").set_index("lang")
    assert rows.duplicate_cluster["en"] == rows.duplicate_cluster["de"], "it was not translated"
    assert rows.duplicate_cluster["fr"] != rows.duplicate_cluster["en"]
    assert len(newsdata.load_pandas(out, split="all", deduplicate=True)) == 2


@pytest.mark.parametrize("reprints", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_reprints_of_another_year_are_excluded_or_at_least_counted(reprints: int, tmp_path: Path) -> None:
    """Under other titles and with a few other words. Many of them would take too much of the archive, as series do."""
    files = {}
    for number in range(120 + reprints):
        told = number % 120
        text = [f"{'bcdfg'[told % 5]}{hash_of(told, at)}" for at in range(120)]
        if number >= 120:
            text[30] = text[80] = "meanwhile"
        day = f"{2008 + number // 10}-{1 + number % 10:02}-03"
        head = f"title: Note {hash_of(number, 'title')} of {day}"
        files[f"_posts/{day}-n{number:03}.md"] = f"---\n{head}\n---\n{' '.join(text)}\n".encode()
    made = newsdata.build(write_archive(tmp_path / "in", files), tmp_path / "out", num_proc=1)
    assert made.manifest.duplicates["doors"]["reworded"] is (reprints == 1)
    assert made.manifest.leakage
    leak = {row["split"]: row for row in made.manifest.leakage["pairs"] if row["against"] == "train"}["test"]
    excluded = newsdata.load_pandas(tmp_path / "out", "excluded", split="excluded")
    assert excluded.excluded_reason.tolist() == ["straddle"] * (reprints == 1)
    assert any("of test may be known from train" in note for note in made.notes) is (reprints > 1)
    assert leak["leak_j50"] == 0 and (leak["leak_any"] == leak["similar"] > 0.5) is (reprints > 1)


def hash_of(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:6]
