"""One name for each publisher, by a reviewed list of spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, overload

from ..errors import CallError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALIASES", "ALIASES_VERSION", "publisher_name"]

ALIASES_VERSION = 1
"""Raised whenever a name or a spelling is added, moved or taken away."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    # publishers of the first archive, for the forms of their names
    "NuveTech": (),
    "e公司": (),
    "21世纪经济报道": ("二十一世纪经济报道",),
    "上海证券报": ("上证报",),
    "中国证券报": ("中证报",),
    "中国新闻网": ("中新网",),
    "中国新闻社": ("中新社",),
    "券商中国": (),
    "新华社": ("新华通讯社",),
    "绵阳日报": (),
    "财联社": (),
    "证券时报": (),
    # authorities that are credited like publishers
    "上海证券交易所": ("上交所",),
    "北京证券交易所": ("北交所",),
    "深圳证券交易所": ("深交所",),
    "中国人民银行": ("人民银行",),
    "中国证监会": ("证监会", "中国证券监督管理委员会"),
    "国家发展改革委": ("国家发改委", "国家发展和改革委员会"),
}
"""Name -> other names of the same publisher. A website, an app and a paper of one house are different publishers: 证券时报网
is not 证券时报, 中证网 is not 中国证券报, 央视新闻客户端 is not 央视新闻."""


@overload
def publisher_name(values: str) -> str: ...
@overload
def publisher_name(values: None) -> None: ...
@overload
def publisher_name(values: float) -> float: ...
@overload
def publisher_name(values: pd.Series[str]) -> pd.Series[str]: ...
def publisher_name(values: str | pd.Series[str] | float | None) -> str | pd.Series[str] | float | None:
    """The name of a publisher, by a list of spellings that ships with newsdata.

    A spelling is found in any width, case and spacing, and within 《》. A name that is not in the list stays as it is.
    `newsdata.dataset.publisher_names` has the list and its `ALIASES_VERSION`.

    Args:
        values: a name as the columns `publisher`, `media` and `source` have it, or such a column as a pandas series.
            Nulls of pandas (NaN, NA) are allowed, too.

    Returns:
        the name, or a series with the same index; null stays null.

    Raises:
        CallError: `values` is something else.

    >>> publisher_name("Nuvetech"), publisher_name("《中证报》"), publisher_name("证券时报网")
    ('NuveTech', '中国证券报', '证券时报网')
    """
    if values is None:
        return None
    if isinstance(values, str):
        return _NAMES.get(_key(values), values)
    import pandas as pd

    if not isinstance(values, pd.Series):
        if not isinstance(values, Iterable) and pd.isna(values):
            return values
        hint = 'give load_pandas(…)["publisher"], or one name after the other'
        raise CallError(f"must be text or a pandas series, got {type(values).__name__}", field="values", hint=hint)
    known = values.dropna()
    wrong = next((one for one in known if not isinstance(one, str)), None)
    if wrong is not None:
        raise CallError(f"must hold texts, got {wrong!r:.100}", field="values", hint="give a column of names")
    names = {one: publisher_name(one) for one in known.unique()}
    return values.map(names) if names else values


def _key(name: str) -> str:
    """What is the same in all forms of a name."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(text.split()).removeprefix("《").removesuffix("》")


_NAMES: Mapping[str, str] = {_key(one): name for name, others in ALIASES.items() for one in (name, *others)}
