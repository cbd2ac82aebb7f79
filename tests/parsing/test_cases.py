"""The cases that are kept beside the checkout: posts of the first archive, and bodies of other sites."""

from __future__ import annotations

import pytest

from .cases import CASES, expectations, faults

ARCHIVE = CASES / "archive"
BODIES = CASES / "bodies"


@pytest.mark.skipif(not ARCHIVE.is_dir(), reason="the shared cases are not here")
def test_the_cases_of_the_first_archive_are_read_as_expected() -> None:
    found = {path.name: faults(path, expect) for path, expect in expectations(ARCHIVE)}
    assert len(found) > 8
    assert {name: list_of for name, list_of in found.items() if list_of} == {}


@pytest.mark.skipif(not BODIES.is_dir(), reason="the shared cases are not here")
def test_the_cases_of_bodies_are_read_as_expected() -> None:
    folders = sorted(folder for folder in BODIES.iterdir() if folder.is_dir())
    found = {str(path): faults(path, expect) for folder in folders for path, expect in expectations(folder)}
    assert len(found) > 8
    assert {name: list_of for name, list_of in found.items() if list_of} == {}
