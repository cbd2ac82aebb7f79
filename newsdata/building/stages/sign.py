"""Stage sign: a signature for every article, by which near-copies are found.

There is one task for each spool file, with the articles whose text is in it. Its seed is the artifact that the last build
made for the same spool file: the rows of articles that did not change are copied from there, by their `key`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...curation.merge import NO_DATE
from ...curation.splits import local_days
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...near_duplicates.boilerplate import Boilerplate
from ...near_duplicates.signatures import SIGNATURE_SCHEMA, Words, method, open_signatures, sign, write_signatures
from ...schema import Site
from ...storage.spool import SPOOL_BATCH, Spool
from ..base import Base
from ..request import Settings
from .boilerplate import find_boilerplate
from .list import describe_site
from .merge import Merged
from .parse import Parsed
from .versions import stage_of
from .words import COMPARED, Places, open_spool, places_of, spool_files_of, spool_places, texts_of

__all__ = ["TASKS", "Signed", "sign_articles"]

_NO_DAY = -(10**6)  # the day of all undated articles; no other article has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The signatures of all articles.

    Attributes:
        artifacts: with the signature files, in the order of the spool.
        boilerplate: the list that was used.
    """

    artifacts: Sequence[Artifact]
    boilerplate: Boilerplate

    @property
    def files(self) -> list[StoredFile]:
        """The signature files."""
        return [artifact.files["signatures"] for artifact in self.artifacts]


def sign_articles(merged: Merged, parsed: Parsed, site: Site, settings: Settings, base: Base, engine: Engine) -> Signed:
    """Find the list of boilerplate, then sign every article."""
    articles = merged.articles
    made_by = (*settings.made_by, f"site {describe_site(site)}")
    dated = articles.published_at != NO_DATE
    days = np.where(dated, local_days(articles.published_at, site.timezone).astype(np.int64), _NO_DAY).astype(np.int32)
    with engine.stage("sign", len(articles)) as stage:
        list_file = find_boilerplate(merged, parsed, days, base, made_by, stage)
        boilerplate = Boilerplate.load(list_file.checked())
        file_of = spool_places(articles.text, parsed.rows_before)[0]
        order = np.argsort(file_of, kind="stable").astype(np.int32)
        by_spool_file = np.split(order, np.flatnonzero(np.diff(file_of[order])) + 1) if len(order) else []
        current_method = f"{sorted(method().items())} {SIGNATURE_SCHEMA}"
        about = hashlib.sha256("\0".join([*made_by, boilerplate.digest, current_method]).encode()).digest()
        places = [parsed.places[int(file_of[positions[0]])] for positions in by_spool_file]
        tasks = [
            _task(merged, parsed, _Chosen(positions, days[positions], about, place), list_file)
            for positions, place in zip(by_spool_file, places, strict=True)
        ]
        artifacts = stage.run(tasks)
    return Signed(artifacts=artifacts, boilerplate=boilerplate)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The articles of one task: those whose text is in one spool file.

    Attributes:
        positions: of the articles.
        days: of each; `_NO_DAY` if it has none.
        about: a digest of everything that decides a signature, except the article.
        place: the path of the spool file's first shard of posts.
    """

    positions: np.ndarray
    days: np.ndarray
    about: bytes
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignData:
    """What a sign task needs.

    Attributes:
        article_id, days: of each article; days since 1970 in the site's time zone (int32), null if not known.
        keys: for each article a row of bytes: everything that its signature depends on.
        spool, places: the places of the posts that give the words and addresses, and the spool files that hold them.
        boilerplate: the file of the dataset's list.
    """

    article_id: pa.Array
    days: pa.Array
    keys: np.ndarray
    spool: Mapping[int, StoredFile]
    places: Places
    boilerplate: StoredFile


def _task(merged: Merged, parsed: Parsed, chosen: _Chosen, boilerplate: StoredFile) -> Task:
    digest = hashlib.sha256(_keys(merged, chosen).tobytes()).hexdigest()

    def data() -> _SignData:
        places = places_of(merged.articles, chosen.positions, parsed.rows_before, COMPARED)
        return _SignData(
            article_id=merged.articles.article_id.take(pa.array(chosen.positions)),
            days=pa.array(chosen.days, mask=chosen.days == _NO_DAY),
            keys=_keys(merged, chosen),
            spool=spool_files_of(parsed.spool, [*places.roles.values()]),
            places=places,
            boilerplate=boilerplate,
        )

    return Task(
        stage=stage_of("sign"),
        inputs=(digest,),
        function=_sign,
        data=data,
        place=f"sign {chosen.place}",
        rows=len(chosen.positions),
    )


def _keys(merged: Merged, chosen: _Chosen) -> np.ndarray:
    """For each article of a task a row of bytes: everything that its signature depends on."""
    head = np.frombuffer(chosen.about, np.uint8)
    parts = [np.tile(head, (len(chosen.positions), 1)), chosen.days.astype("<i4").view(np.uint8).reshape(-1, 4)]
    for role in COMPARED:  # `name` is a hash of path and article id
        giving = getattr(merged.articles, role)[chosen.positions]
        names = merged.posts.name[giving].astype("<u8").view(np.uint8).reshape(-1, 8)
        parts += [merged.posts.sha256[giving], names]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _sign(data: _SignData, bench: Bench) -> dict[str, Any]:
    keys = [hashlib.sha256(key.tobytes()).digest() for key in data.keys]
    tables = []
    known = pa.nulls(len(keys), pa.int32())
    if bench.seed:
        rows = open_signatures(bench.seed.files["signatures"].checked())
        known = pc.index_in(pa.array(keys, pa.binary()), value_set=rows["key"].combine_chunks())
        tables.append(rows.take(known.drop_null()))
    new = np.flatnonzero(known.is_null().to_numpy(zero_copy_only=False))
    boilerplate = Boilerplate.load(data.boilerplate.checked())
    spool = open_spool(data.spool)
    begin = 0
    for texts in texts_of(spool, data.places.some(new)):  # in batches, so that little text is in memory
        some = new[begin : begin + SPOOL_BATCH]
        titles, digests, urls = (_column(spool, data.places.some(some), name) for name in ("title", "digest", "url"))
        langs = _column(spool, data.places.some(some), "lang", "labels")
        words = Words(texts=texts, titles=titles, digests=digests, urls=urls, langs=langs)
        at = pa.array(some)
        ids, days = data.article_id.take(at), data.days.take(at)
        tables.append(sign(ids, words, days, boilerplate, [keys[n] for n in some.tolist()]))
        begin += len(some)
    order = np.argsort(np.concatenate([np.flatnonzero(known.is_valid()), new]))  # copied rows come first in `tables`
    write_signatures(pa.concat_tables(tables).take(pa.array(order)), bench.file("signatures"))
    return {"rows": len(keys)}


def _column(spool: Spool, places: Places, name: str, role: str = "") -> list[str | None]:
    """A column of some articles, each from the post that gives it: by default its role has the same name."""
    values: list[str | None] = spool.take(*places.roles[role or name], [name])[name].to_pylist()
    return values


TASKS: Mapping[str, TaskFunction] = {"sign": _sign}
"""The functions of this stage's tasks, by kind."""
