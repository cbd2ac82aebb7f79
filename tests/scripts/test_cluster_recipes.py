"""The recipes for clusters are well-formed, and what they run gives the same bytes as one machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..building.edited_archive import digests
from ..conftest import ROOT

RECIPES = ROOT / "examples" / "cluster"
ARCHIVE = ROOT / "examples" / "archive"


def environment(**more: str) -> dict[str, str]:
    """The environment of a command, with the commands of this Python first."""
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"], **more}


def job() -> dict[str, Any]:
    text = (RECIPES / "kubernetes-job.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_kubernetes_job_restarts_ranks_one_by_one() -> None:
    about = job()
    assert (about["apiVersion"], about["kind"]) == ("batch/v1", "Job")
    spec = about["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["completionMode"] == "Indexed" and spec["podReplacementPolicy"] == "Failed"
    assert spec["backoffLimitPerIndex"] > 0 and spec["template"]["spec"]["restartPolicy"] == "Never"
    size = container["command"][container["command"].index("--world-size") + 1]
    assert spec["completions"] == spec["parallelism"] == int(size)
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
    assert container["env"][0]["name"] == "NEWSDATA_JOB"


@pytest.mark.parametrize("script", sorted(path.name for path in RECIPES.glob("*.sh")))
def test_scripts_are_good_bash(script: str) -> None:
    subprocess.run(["bash", "-n", RECIPES / script], check=True)
    assert os.access(RECIPES / script, os.X_OK)
    assert "set -euo pipefail" in (RECIPES / script).read_text("utf-8")


def run_all(commands: list[tuple[list[str], dict[str, str]]]) -> list[str]:
    """What commands print that run at the same time; all of them succeed."""
    running = [
        subprocess.Popen(command, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command, more in commands
    ]
    told = []
    for process in running:
        out, complaints = process.communicate(timeout=300)
        assert process.returncode == 0, complaints
        told.append(out)
    return told


@pytest.mark.slow
def test_the_slurm_array_builds(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = {"SOURCE": str(ARCHIVE), "OUT": str(out), "SLURM_ARRAY_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "1"}
    ranks = [given | {"SLURM_ARRAY_TASK_ID": str(rank), "SLURM_ARRAY_TASK_COUNT": "3"} for rank in range(3)]
    told = run_all([([str(RECIPES / "slurm-array.sh")], rank) for rank in ranks])
    assert told[0].startswith("built ") and all(line.startswith("rank ") for line in told[1:])
    assert digests(out / "1.0.0") == digests(demo / "1.0.0")


@pytest.mark.slow
def test_the_kubernetes_job_builds(demo: Path, tmp_path: Path) -> None:
    """Its command, with the variables that Kubernetes sets; the archive and the version lie in folders."""
    out = tmp_path / "out"
    command: list[str] = job()["spec"]["template"]["spec"]["containers"][0]["command"]
    places = {"/archive": str(ARCHIVE), "s3://news/finews": str(out), "8": "3", "4": "1"}
    command = [places.get(word, word) for word in command]
    ranks = [{"JOB_COMPLETION_INDEX": str(rank), "NEWSDATA_JOB": "uid-1"} for rank in range(3)]
    told = run_all([(command, rank) for rank in ranks])
    assert told[0].startswith("built ") and all(line.startswith("rank ") for line in told[1:])
    assert digests(out / "1.0.0") == digests(demo / "1.0.0")
    late = run_all([(command, {"JOB_COMPLETION_INDEX": "2", "NEWSDATA_JOB": "uid-1"})])
    assert late[0].startswith("rank 2 of 3 did 0 tasks")
