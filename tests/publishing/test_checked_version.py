"""Versions that are not published: damaged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import CallError, VerifyError
from newsdata.publishing.publish import publish

from ..versions import make_version


def damage_byte(folder: Path) -> None:
    path = folder / "articles/train-2021-12-0000000.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def damage_missing(folder: Path) -> None:
    (folder / "ledger.arrow").unlink()


def damage_link(folder: Path) -> None:
    (folder / "README.md").rename(folder.parent / "elsewhere.md")
    (folder / "README.md").symlink_to(folder.parent / "elsewhere.md")


def damage_folder_link(folder: Path) -> None:
    (folder / "articles").rename(folder.parent / "elsewhere")
    (folder / "articles").symlink_to(folder.parent / "elsewhere")


def damage_path(folder: Path) -> None:
    data = json.loads((folder / "manifest.json").read_text("utf-8"))
    data["files"][0]["path"] = "../../elsewhere.md"
    (folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("damage", [damage_byte, damage_missing, damage_link, damage_folder_link, damage_path])
def test_a_damaged_folder_is_not_sent(tmp_path: Path, damage: Any) -> None:
    folder = make_version(tmp_path / "out")
    damage(folder)
    with pytest.raises((VerifyError, CallError)) as caught:
        publish(folder, str(tmp_path / "public"), full_text=True)
    assert type(caught.value).__name__ == ("ManifestError" if damage is damage_path else "VerifyError")
    assert not (tmp_path / "public").exists()


@pytest.mark.parametrize("address", ["file:///news", "https://news.example/L"])
def test_versions_at_other_addresses_are_not_published(address: str, tmp_path: Path) -> None:
    with pytest.raises(
        CallError, match=f"^{address}: versions at this kind of address cannot be published; name a fol"
    ):
        publish(address, str(tmp_path / "public"))
