"""croissant.json: the version described in Croissant 1.1, a JSON-LD vocabulary for machine learning datasets.

Every Parquet file is a FileObject with its SHA-256. Every config is a FileSet and a RecordSet with one field for each
column; the field `split` is read from the name of the file. Source: the Croissant format specification 1.1
(docs.mlcommons.org/croissant).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from ..schema import columns, table_schema
from ..storage.manifest import Manifest, Shard, shards_of
from .citation import spdx_of
from .contents import configs_of, count_rows, splits_of, summarize
from .readme import card_facts

__all__ = ["render_croissant"]

_FORMAT = "application/x-parquet"

_TYPES = {pa.string(): "sc:Text", pa.bool_(): "sc:Boolean", pa.int32(): "cr:Int32", pa.int64(): "cr:Int64"}

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The standard context of Croissant 1.1, word for word: readers warn about any other."""


def render_croissant(manifest: Manifest, readme: str, *, name: str) -> str:
    """The text of `croissant.json` for the version that `manifest` describes.

    Paths are relative to the file itself, so it holds for a folder and for a repository. Authors, address and date of
    publication are there if the card names them; the licence, if SPDX lists it.

    Args:
        manifest: of the version.
        readme: README.md of the version; licence, languages, tags, citation and what it says about it are taken from it.
        name: of the dataset, "org/name" or the name of a folder.

    >>> manifest = Manifest(dataset_version="1.0.0", schema_version="1.0", configuration={}, source={},
    ...     tools={}, accounting={}, columns={}, shards=())
    >>> document = json.loads(render_croissant(manifest, "---\\nlicense: mit\\n---\\n", name="news"))
    >>> document["conformsTo"], document["license"]
    ('http://mlcommons.org/croissant/1.1', 'MIT')
    """
    timezone = str(manifest.configuration.get("timezone", "UTC"))
    facts = card_facts(readme)
    configs = configs_of(manifest)
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": summarize(manifest),
        "version": manifest.dataset_version,
        "license": spdx_of(facts["license"]),
        "url": facts["url"],
        "creator": [_creator(author) for author in facts["authors"]],
        "datePublished": facts["date_published"],
        "identifier": facts["doi"] and f"https://doi.org/{facts['doi']}",
        "inLanguage": facts["language"],
        "keywords": facts["tags"],
        "citeAs": facts["citation"],
        "distribution": [
            *(_file_object(shard) for shard in manifest.shards),
            *(_file_set(manifest, config) for config in configs),
        ],
        "recordSet": [
            *(_split_set(manifest, config) for config in configs),
            *(_record_set(manifest, config, timezone) for config in configs),
        ],
    }
    filled = {key: value for key, value in document.items() if value not in (None, [])}
    return json.dumps(filled, ensure_ascii=False, indent=1) + "\n"


def _creator(author: Mapping[str, Any]) -> dict[str, Any]:
    """An author of `citation.citation_facts`: a person, or an organisation."""
    if author["given"] is None:
        return {"@type": "sc:Organization", "name": author["name"]}
    creator: dict[str, Any] = {
        "@type": "sc:Person",
        "name": f"{author['given']} {author['name']}",
        "givenName": author["given"],
        "familyName": author["name"],
    }
    if author["orcid"]:
        creator["sameAs"] = f"https://orcid.org/{author['orcid']}"
    if author["affiliation"]:
        creator["affiliation"] = {"@type": "sc:Organization", "name": author["affiliation"]}
    return creator


def _file_object(shard: Shard) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": PurePosixPath(shard.path).name,
        "contentUrl": shard.path,
        "contentSize": f"{shard.bytes} B",
        "encodingFormat": _FORMAT,
        "sha256": shard.sha256,
    }


def _file_set(manifest: Manifest, config: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config}-files",
        "name": f"{config}-files",
        "description": f"the Parquet files of {config}; the hash of each stands at its FileObject",
        "encodingFormat": _FORMAT,
        "includes": [shard.path for shard in shards_of(manifest, config)],
    }


def _split_set(manifest: Manifest, config: str) -> dict[str, Any]:
    name = f"{config}-splits"
    field = f"{name}/name"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"the splits of {config}",
        "dataType": "cr:Split",
        "key": {"@id": field},
        "field": [{"@type": "cr:Field", "@id": field, "name": "name", "dataType": "sc:Text"}],
        "data": [{field: split} for split in splits_of(manifest, config)],
    }


def _record_set(manifest: Manifest, config: str, timezone: str) -> dict[str, Any]:
    meanings = columns(config, manifest.schema_version)
    fields = [
        _field(f"{config}/{column.name}", column, meanings[column.name], config)
        for column in table_schema(config, timezone, manifest.schema_version)
    ]
    names = "|".join(splits_of(manifest, config))
    split = {
        "@type": "cr:Field",
        "@id": f"{config}/split",
        "name": "split",
        "description": "the split of the row, by the name of its file",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{config}-files"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"^{config}/({names})-.+$"},
        },
    }
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": f"{config}: {count_rows(manifest, config):,} rows",
        "field": [split, *fields],
    }


def _field(name: str, column: pa.Field, meaning: str, config: str) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column.name}}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": column.name, "description": meaning}
    kind = column.type
    if pa.types.is_list(kind):
        # Readers of 1.0 know `repeated`; in 1.1 the other two take its place.
        field |= {"repeated": True, "isArray": True, "arrayShape": "-1"}
        kind = kind.value_type
    if not pa.types.is_struct(kind):
        return field | {"dataType": _data_type(kind), "source": source}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{part.name}",
            "name": part.name,
            "dataType": _data_type(part.type),
            "source": source | {"transform": {"jsonPath": part.name}},
        }
        for part in kind
    ]
    return field | {"subField": parts}


def _data_type(kind: pa.DataType) -> str:
    return "sc:DateTime" if pa.types.is_timestamp(kind) else _TYPES[kind]
