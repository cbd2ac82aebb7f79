"""croissant.json: the version in Croissant 1.1, the JSON-LD vocabulary for machine learning datasets.

Every Parquet file is a FileObject with its SHA-256, every config a FileSet and a record set with one field
for each column; the field `split` comes from the file's name. Source: the Croissant format specification 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from ..schema import CONFIGS, columns, table_schema
from ..storage.manifest import Manifest, shards_of

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
"""The standard context of Croissant 1.1; readers warn about any other."""


def render_croissant(
    manifest: Manifest,
    *,
    name: str,
    description: str,
    license: str,
    url: str | None = None,
    languages: Sequence[str] = (),
    keywords: Sequence[str] = (),
    citation: str | None = None,
) -> str:
    """The text of `croissant.json` for the version that `manifest` describes.

    Args:
        manifest: of the version; its shards need their hashes.
        name: of the dataset, "org/name" or a folder's name.
        description: what it is, in a sentence or two.
        license: a URL or an identifier.
        url: where the dataset stands; left out when None.
        languages: codes as in the card's header.
        keywords: the card's tags.
        citation: BibTeX.

    Paths are relative to the file itself, so it holds for a folder and for a repository. It names no date of
    publication: a build knows none.

    >>> manifest = Manifest(dataset_version="1.0.0", schema_version="1.0", configuration={}, source={},
    ...     tools={}, accounting={}, columns={}, shards=())
    >>> json.loads(render_croissant(manifest, name="a", description="b", license="c"))["conformsTo"]
    'http://mlcommons.org/croissant/1.1'
    """
    timezone = str(manifest.configuration.get("timezone", "UTC"))
    configs = [config for config in CONFIGS if shards_of(manifest, config)]
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": description,
        "version": manifest.dataset_version,
        "license": license,
        "url": url,
        "inLanguage": list(languages),
        "keywords": list(keywords),
        "citeAs": citation,
        "distribution": [
            *(_file_object(shard.path, shard.bytes, shard.sha256) for shard in manifest.shards),
            *(_file_set(manifest, config) for config in configs),
        ],
        "recordSet": [
            *(_split_set(manifest, config) for config in configs),
            *(_record_set(manifest, config, timezone) for config in configs),
        ],
    }
    filled = {key: value for key, value in document.items() if value not in (None, [])}
    return json.dumps(filled, ensure_ascii=False, indent=1) + "\n"


def _file_object(path: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": PurePosixPath(path).name,
        "contentUrl": path,
        "contentSize": f"{size} B",
        "encodingFormat": _FORMAT,
        "sha256": sha256,
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


def _splits(manifest: Manifest, config: str) -> list[str]:
    return [split for split in CONFIGS[config] if shards_of(manifest, config, split)]


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
        "data": [{field: split} for split in _splits(manifest, config)],
    }


def _record_set(manifest: Manifest, config: str, timezone: str) -> dict[str, Any]:
    meanings = columns(config)
    fields = [
        _field(f"{config}/{column.name}", column, meanings[column.name], config)
        for column in table_schema(config, timezone)
    ]
    names = "|".join(_splits(manifest, config))
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
    rows = sum(shard.rows for shard in shards_of(manifest, config))
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": f"{config}: {rows:,} rows",
        "field": [split, *fields],
    }


def _field(name: str, column: pa.Field, meaning: str, config: str) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column.name}}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": column.name, "description": meaning}
    kind = column.type
    if pa.types.is_list(kind):
        # `repeated` is what 1.0 readers know, the other two are its successor in 1.1.
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
