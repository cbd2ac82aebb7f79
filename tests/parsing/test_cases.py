"""The cases of the first archive that are kept beside the checkout."""

from __future__ import annotations

import pytest

from .cases import CASES, expectations, faults

ARCHIVE = CASES / "archive"


@pytest.mark.skipif(not ARCHIVE.is_dir(), reason="the shared cases are not here")
def test_the_cases_of_the_first_archive_are_read_as_expected() -> None:
    found = {path.name: faults(path, expect) for path, expect in expectations(ARCHIVE)}
    assert len(found) > 8
    assert {name: list_of for name, list_of in found.items() if list_of} == {}
