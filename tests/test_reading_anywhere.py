"""Versions are read on any system: also where Python has no module, function, flag or signal of POSIX.

newsdata is imported with an `os` and a `signal` that have only what Python documents for Windows, and without the modules that
it documents for Unix only. The libraries keep theirs: how they work on Windows is their own affair.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

WITHOUT_POSIX = r"""
import json, os, signal, sys, types, warnings
import click, datasets, datasets.iterable_dataset, filelock, huggingface_hub, markdown_it, msgspec, numpy, pandas
import pyarrow.compute, pyarrow.dataset, pyarrow.parquet, tqdm, yaml
import concurrent.futures, importlib.metadata, multiprocessing.pool, subprocess, tempfile  # of the libraries, and of Python
import importlib.util
if importlib.util.find_spec("torch"):
    import torch  # `datasets` imports it where it is installed

MODULES = {
    "curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "_posixsubprocess",
}
OS = '''
    O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_LARGEFILE O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH O_RSYNC
    O_SYNC POSIX_FADV_WILLNEED SEEK_DATA SEEK_HOLE WNOHANG chown chroot confstr fchmod fchown fdatasync fork forkpty fpathconf
    fstatvfs getegid geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getresuid getsid getuid getxattr
    initgroups killpg lchown listxattr lockf major makedev mkfifo mknod nice openpty pathconf pipe2 posix_fadvise
    posix_fallocate posix_spawn pread preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity
    sched_setaffinity sched_yield sendfile setgid setgroups setpgid setpriority setsid setuid setxattr statvfs sync sysconf
    tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
'''.split()
SIGNALS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN", "Signals", "Handlers"}
FUNCTIONS = {"default_int_handler", "getsignal", "raise_signal", "set_wakeup_fd", "signal", "strsignal", "valid_signals"}


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def reduced(module, keeps):
    copy = types.ModuleType(module.__name__)
    vars(copy).update({name: value for name, value in vars(module).items() if name.startswith("__") or keeps(name)})
    return copy


for name in MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hidden())
sys.modules["os"] = reduced(os, lambda name: name not in OS)
sys.modules["signal"] = reduced(signal, lambda name: name in SIGNALS | FUNCTIONS)
warnings.simplefilter("error")
"""

READ = r"""
import newsdata
from click.testing import CliRunner
from newsdata.cli.main import cli


def fails(code):
    try:
        exec(code)
    except (ImportError, AttributeError):
        return True


out = sys.argv[1]
frame = newsdata.load_pandas(out, split="train")
streamed = list(newsdata.load_dataset(out, split="test[:2]", streaming=True))
loaded = newsdata.load_dataset(out)
answers = {
    "faults": newsdata.verify(out).faults,
    "version": newsdata.info(out)["version"],
    "rows": {split: len(part) for split, part in loaded.items()},
    "ids": [list(frame.article_id)[:3], [row["article_id"] for row in streamed]],
    "copies": len(newsdata.duplicates(out)),
    "post": newsdata.where(out, "_posts/2022-03-24-draft-notes.md").became,
    "commands": [CliRunner().invoke(cli, [name, out]).exit_code for name in ("info", "verify", "card")],
    "build": str(CliRunner().invoke(cli, ["build", "examples/archive", sys.argv[2]]).exception),
    "hidden": [name for name in ("import fcntl", "import os; os.O_NOFOLLOW", "import signal; signal.SIGKILL") if fails(name)],
}
print(json.dumps(answers))
"""


@pytest.mark.slow
def test_versions_are_read_without_posix(demo: Path, tmp_path: Path) -> None:
    import newsdata

    command = [sys.executable, "-c", WITHOUT_POSIX + READ, str(demo), str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers["faults"] == [] and answers["version"] == "1.0.0" and answers["commands"] == [0, 0, 0]
    loaded = newsdata.load_dataset(demo)
    assert answers["rows"] == {split: len(part) for split, part in loaded.items()}
    assert answers["ids"] == [loaded["train"]["article_id"][:3], loaded["test"]["article_id"][:2]]
    assert answers["copies"] == len(newsdata.duplicates(demo)) and answers["post"] == "reject"
    assert len(answers["hidden"]) == 3
    assert "use Linux or macOS to build" in answers["build"] and not (tmp_path / "new" / "1.0.0").exists()
