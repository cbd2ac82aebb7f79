"""From texts to clusters: how well it finds copies, and that nothing else shapes the answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import hashlib, random, sys
from pathlib import Path
import pyarrow as pa
sys.path.insert(0, "tests/near_duplicates")
from made_articles import fund, matched, row, words
from newsdata.near_duplicates.boilerplate import find_boilerplate
from newsdata.near_duplicates.clusters import assign
from newsdata.near_duplicates.signatures import method
rng = random.Random(7)
rows = [row(f"{k}-{c}", words(k, 240)[c * 26:], 19000 + k) for k in range(30) for c in range(3)]
rows += [row(f"f{k}", fund(k, rng)) for k in range(60)]
listed = find_boilerplate((r[2], r[1]) for r in rows)
random.Random(int(sys.argv[2])).shuffle(rows)
pairs, _ = matched(Path(sys.argv[1]), rows, listed, per_file=int(sys.argv[3]))
clusters = assign(pairs, pa.array(sorted(r[0] for r in rows)))
print(method(), listed.digest, pairs.table.to_pydict(), pairs.report)
print(clusters.duplicate_cluster.to_pylist(), clusters.leak_group.to_pylist(), clusters.aliases)
"""


@pytest.mark.slow
def test_same_pairs_whatever_the_hash_seed_order_files_and_threads(tmp_path: Path) -> None:
    answers = set()
    for number, (seed, per_file, threads) in enumerate((("1", 7, "1"), ("2", 50, "4"))):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", SCRIPT, str(folder), str(number), str(per_file)]
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    assert "jaccard" in answers.pop()


@pytest.mark.parametrize("style", ["wire", "flashes", "frames", "three-days", "markdown"])
def test_planted_copies_are_found(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import quality

    figures = quality.measure(style, 1500)
    assert figures["precision"] >= 0.97, figures
    assert figures["recall"] >= 0.87, figures
    assert figures["excess"] <= 3, figures
    assert not figures["long_recall"] < 0.98, figures
