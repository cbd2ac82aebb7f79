"""One name for each publisher."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from newsdata import publisher_name
from newsdata.dataset.publisher_names import _NAMES, ALIASES, _key
from newsdata.errors import CallError


def test_every_spelling_has_one_name() -> None:
    spellings = [one for name, others in ALIASES.items() for one in (name, *others)]
    assert len({_key(one) for one in spellings}) == len(spellings) == len(_NAMES)
    for name, others in ALIASES.items():
        assert {publisher_name(one) for one in (name, *others)} == {name}


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("NuveTech", "NuveTech"),
        ("Nuvetech", "NuveTech"),
        ("ＮＵＶＥＴＥＣＨ", "NuveTech"),
        (" Nuve\u3000Tech\u00a0", "NuveTech"),
        ("２１世纪经济报道", "21世纪经济报道"),
        ("21 世纪经济报道", "21世纪经济报道"),
        ("《证券时报》", "证券时报"),
        ("E公司", "e公司"),
        ("中证报", "中国证券报"),
    ],
)
def test_forms_of_a_name(spelling: str, name: str) -> None:
    assert publisher_name(spelling) == name


@pytest.mark.parametrize(
    "name",
    [
        "证券时报网", "证券时报·e公司", "中证网", "上海证券报·中国证券网", "央视新闻客户端", "央视新闻", "新华网",
        "财联社APP", "中经网", "央行", "望山财经", " 望山财经 ", "ＡＢＣ", "", "\ud800",
    ],
)  # fmt: skip
def test_other_publishers_stay_as_they_are(name: str) -> None:
    """A site or an app is not the paper of its house, and what is not in the list is not touched."""
    assert publisher_name(name) == name


def test_a_column() -> None:
    column = pd.Series(["Nuvetech", None, "望山财经", "NuveTech"], index=[3, 5, 7, 9], name="publisher", dtype="str")
    found = publisher_name(column)
    assert found.dropna().to_dict() == {3: "NuveTech", 7: "望山财经", 9: "NuveTech"}
    assert list(found.index) == [3, 5, 7, 9] and found.name == "publisher" and found.isna()[5]
    assert column[3] == "Nuvetech"
    nothing = pd.Series([None, None], dtype="str")
    assert publisher_name(nothing).isna().all()
    assert publisher_name(None) is None


def test_something_else_is_refused() -> None:
    with pytest.raises(CallError, match="values: must be text or a pandas series, got list"):
        publisher_name(["NuveTech"])  # type: ignore[call-overload]


def test_nulls_of_pandas_stay_null() -> None:
    nulls: list[Any] = [float("nan"), pd.NA, pd.NaT]
    for null in nulls:
        assert publisher_name(null) is null
    for kind in ("object", "str", "string"):
        column = pd.Series(["Nuvetech", None, "望山财经"], dtype=kind)
        assert column.map(publisher_name).dropna().tolist() == ["NuveTech", "望山财经"]
    with pytest.raises(CallError, match="got float"):
        publisher_name(1.5)


@pytest.mark.parametrize("values", [[["Nuvetech"], None], [1, 2], ["a", {}]])
def test_a_column_of_something_else_is_refused(values: list[object]) -> None:
    with pytest.raises(CallError, match="values: must hold texts, got"):
        publisher_name(pd.Series(values))
