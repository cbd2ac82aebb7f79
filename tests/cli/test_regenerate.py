"""The command for cron: fetch, build, verify, publish, one line, exit codes; its recipes name options that are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

import newsdata
from newsdata.building.workspace import locked
from newsdata.storage.manifest import versions_in

from ..building.edited_archive import as_git
from ..conftest import ROOT, many_posts, write_archive


def regenerate(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "newsdata", "regenerate", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.mark.slow
def test_fetch_build_verify_publish(tmp_path: Path) -> None:
    upstream = as_git(tmp_path / "up", {"_config.yml": b"timezone: Asia/Shanghai\n", **many_posts(3)})
    mirror = tmp_path / "mirror.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(upstream), str(mirror)], check=True, capture_output=True)
    call = (
        mirror, tmp_path / "out", "--fetch", f"git -C {shlex.quote(str(mirror))} fetch --quiet --prune origin",
        "--publish", tmp_path / "public", "--full-text", "--num-proc", 1,
    )  # fmt: skip
    first = regenerate(*call)
    assert (first.returncode, first.stderr) == (0, "")
    assert re.fullmatch(r"\d{4}-[\d:T-]+Z regenerate: 1\.0\.0 built: 9 posts, 9 articles, 0 rejects, 0 faults, "
                        r"published to \S+, [\d.]+ s\n", first.stdout)  # fmt: skip
    again = regenerate(*call)
    assert again.returncode == 0 and "1.0.0 unchanged" in again.stdout and "published before" in again.stdout
    as_git(tmp_path / "up", {"_config.yml": b"timezone: Asia/Shanghai\n", **many_posts(4)})
    third = regenerate(*call)
    assert third.returncode == 0 and "1.1.0 built (minor since 1.0.0): 12 posts" in third.stdout, third.stderr
    assert newsdata.info(tmp_path / "public")["version"] == "1.1.0"


@pytest.mark.slow
def test_a_step_that_fails_ends_the_run(tmp_path: Path) -> None:
    archive, out, public = write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out", tmp_path / "public"
    for command, said in (
        ("git -C nowhere fetch", "exit code 128"),
        ("no-such-program", "No such file"),
        ("'", "quot"),
    ):
        done = regenerate(archive, out, "--fetch", command)
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr and not versions_in(out)
    refused = regenerate(archive, out, "--publish", public)
    assert refused.returncode == 2 and "--full-text" in refused.stderr and not public.exists()
    shard = next((out / "1.0.0" / "articles").iterdir())
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    bad = regenerate(archive, out, "--publish", public, "--full-text")
    assert bad.returncode == 1 and shard.name in bad.stderr and not public.exists()
    write_archive(archive, {f"_posts/2022-03-09-20220309888888{i:04d}.md": b"" for i in range(20)}, None)
    assert regenerate(archive, tmp_path / "other").returncode == 1


@pytest.mark.slow
def test_fetching_nothing_and_by_a_line_of_the_shell(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out"
    assert regenerate(archive, out, "--num-proc", 1, "--fetch", "none").returncode == 0
    line = f"cd {shlex.quote(str(tmp_path))} && echo 1 > a && cat a > b || exit 7"
    assert regenerate(archive, out, "--num-proc", 1, "--fetch-shell", line).returncode == 0
    assert (tmp_path / "b").read_text() == "1\n"
    for arguments, said in (
        (("--fetch-shell", "echo why >&2; exit 7"), "fetch: echo why >&2; exit 7: exit code 7: why"),
        (("--fetch-shell", " "), "the command is empty"),
        (("--fetch", "none", "--fetch-shell", "true"), "exclude each other"),
        (("--fetch", "echo a && false"), ""),  # no shell: `&&` and `false` are words that echo prints
    ):
        done = regenerate(archive, out, "--num-proc", 1, *arguments)
        assert (done.returncode, bool(done.stdout)) == ((2, False) if said else (0, True)) and said in done.stderr


@pytest.mark.slow
def test_the_script_is_the_command(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(1))
    script = [sys.executable, str(ROOT / "scripts" / "regenerate.py")]
    done = subprocess.run([*script, str(archive), str(tmp_path / "out")], capture_output=True, text=True)
    assert (
        done.returncode == 0 and " regenerate: 1.0.0 built: 3 posts, 3 articles, 0 rejects, 0 faults, " in done.stdout
    )
    refused = subprocess.run([*script, "--fetch"], capture_output=True, text=True)
    assert refused.returncode == 2 and "'--fetch' requires an argument" in refused.stderr


@pytest.mark.slow
def test_while_a_run_is_at_work_another_one_touches_nothing(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(3))
    with locked(tmp_path / "out", "regenerate.lock"):
        done = regenerate(archive, tmp_path / "out", "--fetch", f"touch {shlex.quote(str(tmp_path / 'fetched'))}")
    assert done.returncode == 2 and "another run is at work here" in done.stderr
    assert not (tmp_path / "fetched").exists() and not versions_in(tmp_path / "out")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert "is a file" in regenerate(archive, tmp_path / "file").stderr


@pytest.mark.slow
def test_most_posts_gone_is_said(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    for file in sorted((archive / "_posts").iterdir())[2:]:
        file.unlink()
    done = regenerate(archive, out)
    assert done.returncode == 0 and "note: 10 of 12 posts are gone: is this the right archive?" in done.stderr


@pytest.mark.slow
def test_a_version_that_was_yanked_is_no_success(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out"
    assert regenerate(archive, out, "--num-proc", 1).returncode == 0
    newsdata.yank(out, revision="1.0.0", reason="half of it was missing")
    done = regenerate(archive, out, "--num-proc", 1)
    assert done.returncode == 1 and "1.0.0 was yanked (half of it was missing)" in done.stderr
    mended = regenerate(archive, out, "--num-proc", 1, "--version", "1.0.1")
    assert mended.returncode == 0 and "1.0.1 built" in mended.stdout, mended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--fetch", "--fetch-shell"])
def test_a_run_that_is_stopped_says_so(option: str, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(3))
    # As git does, the command tidies up when it is told to end, and takes a while for it.
    script = (
        "import os, signal, sys, time\n"
        "def end(*_): time.sleep(1); open(sys.argv[2], 'w').close(); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    pid, tidied = tmp_path / "pid", tmp_path / "tidied"
    command = shlex.join([sys.executable, "-c", script, str(pid), str(tidied)])
    command += " && true" if option == "--fetch-shell" else ""  # so that the shell waits for its child
    run = subprocess.Popen(
        [sys.executable, "-m", "newsdata", "regenerate", str(archive), str(tmp_path / "out"), option, command],
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if pid.is_file() and pid.read_text():
            break
        time.sleep(0.05)
    run.terminate()
    assert "stopped; the versions are as they were" in run.communicate(timeout=30)[1]
    assert run.returncode == 130
    assert tidied.is_file()
    assert not is_there(int(pid.read_text()))


def is_there(pid: int) -> bool:
    """Whether a process is still there after a moment, which the system needs to take it off its list."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
def test_two_runs_at_once(tmp_path: Path) -> None:
    from filelock import FileLock

    archive, out = write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out"
    (out / ".newsdata").mkdir(parents=True)
    with FileLock(out / ".newsdata" / "lock"):
        done = regenerate(archive, out)
    assert done.returncode == 2 and "another build is at work" in done.stderr


def test_recipes_name_what_is_there() -> None:
    text = (ROOT / "docs" / "regenerate.md").read_text("utf-8")
    known = regenerate("--help").stdout
    lines = text.replace("\\\n", " ").splitlines()
    calls = [line for line in lines if "newsdata regenerate" in line and "SOURCE" not in line]
    assert len(calls) >= 2
    for call in calls:
        for option in re.findall(r"(?<![\w-])--[a-z-]+", call.partition("newsdata regenerate")[2]):
            assert option in known or option in ("--quiet", "--prune"), option
    assert "docs/regenerate.md" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_verbose_logs_on_stderr(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(3))
    done = regenerate(archive, tmp_path / "out", "--num-proc", 1, "-v")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert " newsdata: parse: " in done.stderr
