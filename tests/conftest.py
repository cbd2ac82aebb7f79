"""What every test file may use: small archives written on the spot, and one built dataset."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from .objects_server import ObjectStoreServer

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

# Caches of `datasets` go to a folder of the test run, and nothing looks for a network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")

# No test depends on how fast the machine is. Each run tries the same inputs; with `--hypothesis-profile search`, more and others.
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile(
    "search", settings.get_profile("same"), max_examples=2_000, derandomize=False, print_blob=True
)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The examples of docstrings run where what they need is installed."""
    for item in items:
        if item.name == "newsdata.dataset.torch_dataset.torch_dataset" and find_spec("torch") is None:
            item.add_marker(pytest.mark.skip(reason="PyTorch is not installed"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which files of buckets are kept; it is the test's own."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "newsdata"


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStoreServer]:
    """An object store; while a file's tests run, the environment points to it. Skips where what it needs is missing."""
    for module in ("moto", "obstore"):
        pytest.importorskip(module)
    from .objects_server import object_store

    with object_store() as running:
        yield running


@pytest.fixture(autouse=True, scope="session")
def hf_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import datasets

    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("hf")
    yield


def post(
    title: str = "一则新闻",
    date: str = "2022-03-01 08:00:00 +0800",
    category: str = "emnews",
    tag: str = "东财滚动新闻",
    body: str = "<p>今日早间市场平稳开局。</p>\n\n<http://news.example/a,1.html>\n",
) -> bytes:
    """One post in the archive's five-key form."""
    return (
        f'---\nlayout: post\ntitle: "{title}"\ndate: {date}\ncategories: {category}\ntags: {tag}\n---\n{body}'
    ).encode()


def write_archive(root: Path, files: Mapping[str, bytes], timezone: str | None = "Asia/Shanghai") -> Path:
    """Write files below `root`, with a `_config.yml` that names the zone."""
    if timezone:
        files = {"_config.yml": f"timezone: {timezone}\n".encode(), **files}
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def many_posts(days: int, per_day: int = 3, start_day: int = 1) -> dict[str, bytes]:
    """Flashes on days from 2022-03-01 on, each with a text of its own."""
    import datetime

    files = {}
    for day in range(start_day - 1, start_day - 1 + days):
        when = datetime.date(2022, 3, 1) + datetime.timedelta(days=day)
        for number in range(per_day):
            identity = f"{when:%Y%m%d}{number:010d}"
            dealt = hashlib.sha256(identity.encode()).digest()
            text = "，".join(f"第{dealt[i] * 256 + dealt[i + 1]}号仓库{'增减升降'[dealt[i] % 4]}" for i in range(12))
            files[f"_posts/{when}-{identity}.md"] = post(
                title=f"{when}库存第{number}报",
                date=f"{when} 0{number % 10}:30:00 +0800",
                body=f"\n{text}。\n\n<http://news.example/{identity}.html>\n",
            )
    return files


def run_newsdata(*arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "newsdata", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example archive, built once: the folder that holds version 1.0.0. Copy it before changing anything."""
    import newsdata

    out = tmp_path_factory.mktemp("demo")
    newsdata.build(ROOT / "examples" / "archive", out, num_proc=1)
    return out


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 1.0.0 and 1.1.0, which has more articles, beside their archive. Copy it before changing anything."""
    import newsdata

    root = tmp_path_factory.mktemp("two")
    copies = {
        f"_posts/2022-03-0{day}-copy.md": post(title="一家公司", body=f"\n{'同样的消息，' * 40}\n") for day in (1, 2)
    }
    bad = {"_posts/2022-03-05-bad.md": b"\xff"}
    archive = write_archive(root / "archive", many_posts(60, per_day=1) | copies | bad)
    newsdata.build(archive, root / "out", max_reject_share=1.0, num_proc=1)
    write_archive(archive, many_posts(3, start_day=70))
    newsdata.build(archive, root / "out", max_reject_share=1.0, num_proc=1, version="1.1.0")
    return root / "out"


needs_finews = pytest.mark.skipif(
    not (SHARED / "finews").is_dir(), reason="the shared sample of real posts is not here"
)


@contextmanager
def s3_server(bucket: str) -> Iterator[None]:
    """A real S3 server on this machine with an empty bucket; the environment points to it meanwhile."""
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
        }.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()  # those of another test know another server
        s3fs.S3FileSystem().mkdir(bucket)
        try:
            yield
        finally:
            s3fs.S3FileSystem.clear_instance_cache()
            server.stop()
