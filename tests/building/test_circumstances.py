"""Bad circumstances: real processes on a full disk, with few rights, stopped, killed, without a terminal.

Whatever happens: an exit code of 0, 1, 2 or 130, one message without a traceback, and every version in OUT is whole.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

import newsdata
from newsdata.building import known_files
from newsdata.errors import MachineError, RejectsError
from newsdata.graph.executors.local import MAX_TASKS_IN_THREADS

from ..conftest import ROOT, many_posts, write_archive

LIMIT = 120.0  # seconds that any one command may take, on a machine that is busy with other things
PROMPT = 15.0  # seconds between a signal and the end


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that is read in the calling process."""
    return write_archive(tmp_path_factory.mktemp("small"), many_posts(6, 2))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that is read in worker processes: more months have a task of their own than threads would take."""
    padding = b"<!--" + random.Random(1).randbytes(7_200).hex().encode() + b"-->\n"  # hard to compress
    months = MAX_TASKS_IN_THREADS + 3
    posts = {path: data for month in range(months) for path, data in many_posts(4, 5, 1 + 31 * month).items()}
    files = {path: data.replace(b"\n\n<http", b"\n\n" + padding + b"<http") for path, data in posts.items()}
    assert len({path[:14] for path in files}) > MAX_TASKS_IN_THREADS and sum(map(len, files.values())) > 4 * 2**20
    return write_archive(tmp_path_factory.mktemp("large"), files)


def start(source: Path, out: Path, *options: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsdata", "build", str(source), str(out), "--num-proc", "2", "--quiet", *options]
    # Python itself would leave cut .pyc files where files cannot grow.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    settings = {
        "env": environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "cwd": ROOT,
    } | more
    return subprocess.Popen(command, **settings)  # type: ignore[call-overload,no-any-return]


def end(process: subprocess.Popen[str], seconds: float = LIMIT) -> tuple[int, str]:
    """Exit code and standard error of a process that ends in time."""
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"it did not end within {seconds} s")
    assert "Traceback" not in (errors or ""), errors
    return process.returncode, errors or ""


def run(source: Path, out: Path, *options: str, **more: object) -> tuple[int, str]:
    return end(start(source, out, *options, **more))


def versions(out: Path) -> list[str]:
    """What can be seen in OUT; each of it is a whole version."""
    seen = sorted({path.name for path in out.iterdir()} - {".newsdata", "README.md"}) if out.is_dir() else []
    for name in seen:
        assert not newsdata.verify(out / name).faults, name
    return seen


def no_leftovers(out: Path) -> None:
    assert not (out / ".newsdata" / "staging").exists()
    assert not list(out.rglob("*.unfinished*"))


# ------------------------------------------------------------------------------------------- locale, home, streams


@pytest.mark.slow
def test_ascii_locale_and_no_home(large: Path, tmp_path: Path) -> None:
    source = tmp_path / "归档"
    source.symlink_to(large)
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "LANG", "PYTHONUTF8")}
    environment = {**kept, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}
    code, errors = run(source, tmp_path / "输出", env=environment)
    assert (code, errors) == (0, "")
    assert versions(tmp_path / "输出") == ["1.0.0"]


@pytest.mark.slow
def test_a_locale_that_cannot_name_a_path(small: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, errors = run(small, tmp_path / "输出", env=environment)
    assert code == 0 or (code == 2 and "PYTHONUTF8=1" in errors)


@pytest.mark.parametrize("closed", [">&- 2>&- <&-", pytest.param(">&-", marks=pytest.mark.slow)])
def test_closed_streams(closed: str, small: Path, tmp_path: Path) -> None:
    line = f'exec "$0" -m newsdata build "$1" "$2" --num-proc 2 {closed}'
    found = subprocess.run(
        ["bash", "-c", line, sys.executable, str(small), str(tmp_path / "out")],
        cwd=ROOT, timeout=LIMIT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    assert versions(tmp_path / "out") == ["1.0.0"]


@pytest.mark.slow
def test_a_reader_that_goes_away(small: Path, tmp_path: Path) -> None:
    newsdata.build(small, tmp_path / "out", num_proc=1)
    process = subprocess.Popen(
        [sys.executable, "-m", "newsdata", "info", str(tmp_path / "out"), "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert end(process) == (141, "")


# ------------------------------------------------------------------------------------------- limits of the machine


def limited(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


@pytest.mark.slow
@pytest.mark.parametrize("handles", [40, 64])
def test_few_file_handles(handles: int, large: Path, tmp_path: Path) -> None:
    code, errors = run(large, tmp_path / "out", preexec_fn=limited(resource.RLIMIT_NOFILE, handles))
    assert (code, errors) == (0, "")
    assert versions(tmp_path / "out") == ["1.0.0"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1_000, 10_000, 20_000])
def test_no_room_for_a_file(size: int, large: Path, tmp_path: Path) -> None:
    """A limit on the size of files fails as a full disk does: in the middle of a write, in a worker."""
    out = tmp_path / "out"
    code, errors = run(large, out, preexec_fn=limited(resource.RLIMIT_FSIZE, size))
    assert code == 2 and "make room" in errors and "File too large" in errors
    assert versions(out) == []
    assert not (out / ".newsdata" / "staging").exists()
    assert run(large, out) == (0, "") and versions(out) == ["1.0.0"]
    no_leftovers(out)


@pytest.mark.slow
def test_little_address_space(small: Path, tmp_path: Path) -> None:
    code, errors = run(small, tmp_path / "out", preexec_fn=limited(resource.RLIMIT_AS, 1_500_000_000))
    assert code == 2 and "ulimit -v" in errors
    assert versions(tmp_path / "out") == []


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("this process may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk(mounted: Path, small: Path, large: Path) -> None:
    out = mounted / "out"
    assert run(small, out) == (0, "")
    (mounted / "filler").write_bytes(b"x" * (shutil.disk_usage(mounted).free - 64_000))
    code, errors = run(large, out)
    assert code == 2 and "No space left" in errors and "make room" in errors
    assert versions(out) == ["1.0.0"]
    assert not (out / ".newsdata" / "staging").exists()


@pytest.mark.slow
def test_a_read_only_disk(mounted: Path, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    code, errors = run(small, mounted / "out")
    assert code == 2 and "Read-only file system" in errors


def test_no_right_to_write(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    newsdata.build(small, out, num_proc=1)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and ".newsdata" not in path.parts}
    for folder in (out, out / ".newsdata", out / ".newsdata" / "cache"):
        folder.chmod(0o555)
    try:
        with pytest.raises(MachineError, match="rights") if os.geteuid() else _as_root():
            newsdata.build(small, out, version="1.0.1", num_proc=1)
    finally:
        for folder in (out, out / ".newsdata", out / ".newsdata" / "cache"):
            folder.chmod(0o755)
    assert {path: path.read_bytes() for path in before} == before


def _as_root() -> pytest.RaisesExc[BaseException]:
    pytest.skip("no folder is read-only for root")


# ------------------------------------------------------------------------------------------- stopped and killed


def at_work(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until the build has begun to write what it reads."""
    begin = time.monotonic()
    while not any((out / ".newsdata" / "cache").glob("*")) and process.poll() is None:
        assert time.monotonic() - begin < LIMIT
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "group"),
    [
        (signal.SIGINT, True),
        pytest.param(signal.SIGTERM, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, True, marks=pytest.mark.slow),
    ],
)
def test_stopped(number: signal.Signals, group: bool, large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(large, out, start_new_session=True)
    at_work(process, out)
    workers = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if group else os.kill)(process.pid, number)  # a terminal signals the whole group
    code, errors = end(process, PROMPT)
    assert code in (130, -signal.SIGINT)  # a shell shows both as 130
    assert (
        errors.strip() == "newsdata: stopped; earlier versions are unchanged, and the same command continues from here"
    )
    psutil.wait_procs(workers, timeout=PROMPT)
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert versions(out) == [] and not (out / ".newsdata" / "staging").exists()


def kill_and_go_on(source: Path, out: Path, after: float | None) -> None:
    """Kill a build, and whatever it left, the next one succeeds; every version in OUT is whole."""
    earlier = versions(out)
    process = start(source, out, "--version", f"1.{len(earlier)}.0")
    at_work(process, out)
    if after:
        time.sleep(after)
    workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    process.communicate()
    killed = process.returncode == -signal.SIGKILL
    assert set(earlier) <= set(versions(out))
    psutil.wait_procs(workers, timeout=PROMPT)
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert run(source, out) == (0, "")
    assert set(earlier) <= set(versions(out)) and versions(out)
    if killed:
        no_leftovers(out)


@pytest.mark.slow
def test_killed(large: Path, tmp_path: Path) -> None:
    kill_and_go_on(large, tmp_path / "out", None)


@pytest.mark.slow
def test_killed_at_twenty_moments(large: Path, tmp_path: Path) -> None:
    moments = random.Random(7)
    for _ in range(20):
        kill_and_go_on(large, tmp_path / "out", moments.uniform(0, 3))


@pytest.mark.slow
def test_a_worker_is_killed(large: Path, tmp_path: Path) -> None:
    process = start(large, tmp_path / "out")
    workers: list[psutil.Process] = []
    while not workers and process.poll() is None:
        time.sleep(0.01)
        with suppress(psutil.Error):  # a process that has just ended
            children = psutil.Process(process.pid).children()
            workers = [child for child in children if "popen_loky_posix" in " ".join(child.cmdline())]
    assert workers, "there was none to kill"
    for worker in workers:
        worker.kill()
    code, errors = end(process)
    assert code == 0 or (code == 2 and "--num-proc 1" in errors)
    assert versions(tmp_path / "out") == (["1.0.0"] if code == 0 else [])
    assert run(large, tmp_path / "out") == (0, "") and versions(tmp_path / "out") == ["1.0.0"]


@pytest.mark.slow
def test_two_builds_into_one_folder(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    both = [start(small, out), start(small, out)]
    codes = [end(process) for process in both]
    assert all(code == 0 or (code == 2 and "another build" in errors) for code, errors in codes), codes
    assert any(code == 0 for code, _ in codes)
    assert versions(out) == ["1.0.0"]


# ------------------------------------------------------------------------------------------- rejects


@pytest.mark.slow
def test_rejects_in_json_and_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = many_posts(4) | {f"_posts/2022-03-02-{n}\x1b[31m.md": b"" for n in range(1, 6)}
    source = write_archive(tmp_path / "site", files | {"_posts/2022-03-02-list.md": b"---\n- a\n---\nb"})
    out = tmp_path / "out"
    process = start(source, out, "--strict", "--json")
    found, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 1 and "Traceback" not in errors and "empty: 5" in errors and "\x1b" not in errors
    answer = json.loads(found)
    assert answer["version"] is None and len(answer["rejects"]) == 6 and versions(out) == []
    assert {reject["rule"] for reject in answer["rejects"]} == {"empty", "front-matter-not-a-map"}
    made = subprocess.run(
        [sys.executable, "-m", "newsdata", "build", str(source), str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert made.returncode == 0 and "\x1b" not in made.stdout
    assert "5 files: empty" in made.stdout and "and 2 more" in made.stdout and "list.md, line 2" in made.stdout
    monkeypatch.setattr(known_files, "_RACY", 0)  # or files this young are read anew
    newsdata.build(source, out, num_proc=1)
    again = newsdata.build(source, out, num_proc=1)
    assert not again.created and len(again.rejects) == 6
    with pytest.raises(RejectsError):  # nothing has changed, and strict is strict
        newsdata.build(source, out, strict=True, num_proc=1)
