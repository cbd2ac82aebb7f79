"""Stage sign: a signature for every article, from which near-copies are found.

There is a task for each spool file, over the articles whose text lies in it. Its seed is the signatures of the same file in an earlier
build: the rows of articles that did not change are taken from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...curation.merge import NO_DATE, Articles
from ...curation.splits import local_days
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task
from ...near_duplicates.boilerplate import Boilerplate
from ...near_duplicates.signatures import SIGNATURE_SCHEMA, method, open_signatures, sign, write_signatures
from ...schema import Site
from ...storage.spool import SPOOL_BATCH
from ..base import Base
from ..request import Settings
from .boilerplate import find_boilerplate
from .list import describe_site
from .merge import Merged
from .parse import Parsed
from .versions import stage_of
from .words import COMPARED, Places, open_spool, places_of, spool_places, texts_of, touched

__all__ = ["Signed", "sign_articles"]

_NO_DAY = -(10**6)  # undated articles share a day of their own where boilerplate is counted by day


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The signatures of all articles.

    Attributes:
        artifacts: signature files, in the order of the spool.
        boilerplate: the file of the list that was used; `listed` is the list.
    """

    artifacts: Sequence[Artifact]
    boilerplate: StoredFile
    listed: Boilerplate

    @property
    def files(self) -> list[StoredFile]:
        """The signature files."""
        return [artifact.files["signatures"] for artifact in self.artifacts]


def sign_articles(merged: Merged, parsed: Parsed, site: Site, settings: Settings, base: Base, engine: Engine) -> Signed:
    """Sign every article; the list of boilerplate comes first."""
    articles = merged.articles
    made_by = (*settings.made_by, f"site {describe_site(site)}")
    dated = articles.published_at != NO_DATE
    days = np.where(dated, local_days(articles.published_at, site.timezone).astype(np.int64), _NO_DAY).astype(np.int32)
    with engine.stage("sign", len(articles)) as stage:
        boilerplate = find_boilerplate(merged, parsed, days, base, made_by, stage)
        listed = Boilerplate.load(boilerplate.checked())
        file_of = spool_places(articles.text, parsed.rows_before)[0]
        by_file = np.argsort(file_of, kind="stable").astype(np.int32)
        runs = np.split(by_file, np.flatnonzero(np.diff(file_of[by_file])) + 1) if len(by_file) else []
        method_of_today = f"{sorted(method().items())} {SIGNATURE_SCHEMA}"
        about = hashlib.sha256("\0".join([*made_by, listed.digest, method_of_today]).encode()).digest()
        places = [parsed.plan[int(file_of[chosen[0]])].path for chosen in runs]
        tasks = [
            _task(merged, parsed, _Run(chosen, days[chosen], about, place), boilerplate)
            for chosen, place in zip(runs, places, strict=True)
        ]
        artifacts = stage.run(tasks)
    return Signed(artifacts=artifacts, boilerplate=boilerplate, listed=listed)


@dataclass(frozen=True, slots=True)
class _Run:
    """The articles of one task: positions and days, a digest of everything else that shapes a signature, and the spool file's shard."""

    chosen: np.ndarray
    days: np.ndarray
    about: bytes
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignData:
    """What a sign task needs.

    Attributes:
        article_id, days: of each article; days since 1970 in the site's zone (int32), null where unknown.
        keys: of each article a row of bytes: everything that its signature depends on.
        spool, places: where the posts lie that speak for the articles.
        boilerplate: the file of the dataset's list.
    """

    article_id: pa.Array
    days: pa.Array
    keys: np.ndarray
    spool: Mapping[int, StoredFile]
    places: Places
    boilerplate: StoredFile


def _task(merged: Merged, parsed: Parsed, run: _Run, boilerplate: StoredFile) -> Task:
    keys = _keys(merged, run)

    def data() -> _SignData:
        places = places_of(merged.articles, run.chosen, parsed.rows_before, COMPARED)
        return _SignData(
            article_id=merged.articles.article_id.take(pa.array(run.chosen)),
            days=pa.array(run.days, mask=run.days == _NO_DAY),
            keys=keys,
            spool=touched(parsed.spool, [*places.roles.values()]),
            places=places,
            boilerplate=boilerplate,
        )

    return Task(
        stage=stage_of("sign"),
        inputs=(hashlib.sha256(keys.tobytes()).hexdigest(),),
        function=_sign,
        data=data,
        place=f"sign {run.place}",
        rows=len(run.chosen),
    )


def _keys(merged: Merged, run: _Run) -> np.ndarray:
    """For each article of a run a row of bytes: everything that its signature depends on."""
    articles: Articles = merged.articles
    head = np.frombuffer(run.about, np.uint8)
    parts = [np.tile(head, (len(run.chosen), 1)), run.days.astype("<i4").view(np.uint8).reshape(-1, 4)]
    for role in COMPARED:  # the name of a post says which article it belongs to, too
        speaking = getattr(articles, role)[run.chosen]
        names = merged.posts.name[speaking].astype("<u8").view(np.uint8).reshape(-1, 8)
        parts += [merged.posts.sha256[speaking], names]
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
    for texts in texts_of(spool, data.places.some(new)):  # little text is in memory at a time
        some = new[begin : begin + SPOOL_BATCH]
        file, row = data.places.roles["url"]
        urls = spool.take(file[some], row[some], ["url"])["url"].to_pylist()
        at = pa.array(some)
        ids, days = data.article_id.take(at), data.days.take(at)
        tables.append(sign(ids, texts, days, urls, boilerplate, [keys[n] for n in some.tolist()]))
        begin += len(some)
    order = np.argsort(np.concatenate([np.flatnonzero(known.is_valid()), new]))  # where each article's row is now
    write_signatures(pa.concat_tables(tables).take(pa.array(order)), bench.file("signatures"))
    return {"rows": len(keys)}
