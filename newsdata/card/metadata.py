"""The YAML header of a README.md, checked against the rules of the Hugging Face Hub before anything is sent.

The Hub checks a header only when it is pushed, and `huggingface_hub` checks very little, so the rules are repeated here.
They come from the Hub's documentation ("Licenses", "Dataset cards", "Manual configuration", the list of pipeline types)
as of 2026. A licence that the Hub added since counts as unknown. Language codes of two letters are the full list of ISO
639-1. Codes of three letters (ISO 639-2 and 639-3, about 8,000) are checked for their form only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import yaml

__all__ = ["check_metadata", "read_yaml", "size_category"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B")
_MORE_SIZES = ("10B<n<100B", "100B<n<1T", "n>1T", "other")

_LICENSES = _words(
    """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
    bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda
    cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0
    cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
    cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
    etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research
    intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl open-mdw openmdw-1.0
    openmdw-1.1 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
    fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community
    gemma unknown other
    """
)

_LANGUAGES = _words(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
    mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
    se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi
    vo wa wo xh yi yo za zh zu code multilingual
    """
)

_TASKS = _words(
    """
    any-to-any audio-classification audio-text-to-text audio-to-audio automatic-speech-recognition
    depth-estimation document-question-answering feature-extraction fill-mask graph-ml image-classification
    image-feature-extraction image-segmentation image-text-to-text image-to-3d image-to-image image-to-text
    image-to-video keypoint-detection mask-generation multiple-choice object-detection other
    question-answering reinforcement-learning robotics sentence-similarity summarization
    table-question-answering table-to-text tabular-classification tabular-regression tabular-to-text
    text-classification text-generation text-ranking text-retrieval text-to-3d text-to-audio text-to-image
    text-to-speech text-to-video text2text-generation time-series-forecasting token-classification
    translation unconditional-image-generation video-classification video-text-to-text
    visual-document-retrieval visual-question-answering voice-activity-detection zero-shot-classification
    zero-shot-image-classification zero-shot-object-detection
    """
)

_OPTIONS: Mapping[str, Collection[str]] = {
    "license": _LICENSES,
    "size_categories": (*_SIZES, *_MORE_SIZES),
    "task_categories": _TASKS,
    "annotations_creators": (
        "found",
        "crowdsourced",
        "expert-generated",
        "machine-generated",
        "no-annotation",
        "other",
    ),
    "language_creators": ("found", "crowdsourced", "expert-generated", "machine-generated", "other"),
    "multilinguality": ("monolingual", "multilingual", "translation", "other"),
}
_TEXTS = ("tags", "task_ids", "source_datasets")

_MAX_HEADER = 1_000_000  # characters
_EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML has it, is ten times as fast
_MAX_DEPTH, _MAX_VALUES = 32, 100_000
_LICENSE_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")
_LICENSE_LINK = re.compile(r"LICENSE(\.md)?|https?://[^\s<>\"]+")
_CONFIG_NAME = re.compile(r"\w[\w.-]*")
_SPLIT_NAME = re.compile(r"\w+")
_VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)


def size_category(rows: int) -> str:
    """The Hub's size category of a dataset with `rows` rows.

    >>> size_category(999), size_category(1000), size_category(150_000)
    ('n<1K', '1K<n<10K', '100K<n<1M')
    """
    return _SIZES[min(max(len(str(max(rows, 0))) - 3, 0), len(_SIZES) - 1)]


def check_metadata(yaml_text: str, paths: Collection[str] | None = None) -> tuple[str, ...]:
    """Every way in which the YAML header of a README.md breaks the Hub's rules; empty if it breaks none.

    Args:
        yaml_text: the text between the two `---` lines.
        paths: the files of the repository. If given, every pattern of `data_files` must match one of them.

    >>> check_metadata("language: [no]\\nlicense: mit")
    ('language: False is not text; put it in quotes',)
    """
    header, faults = read_yaml(yaml_text)
    if faults:
        return tuple(faults)
    return (
        *_check_fields(header),
        *_check_license(header),
        *_check_configs(header, paths),
        *_check_info(header),
    )


def read_yaml(yaml_text: str) -> tuple[dict[Any, Any], list[str]]:
    """A YAML map and what is wrong with it. The map is empty if it is not YAML, not a map, or repeats a key.

    >>> read_yaml("a: 1\\na: 2")
    ({}, ['a: is there twice in one map'])
    """
    header, faults = _read_yaml(yaml_text)
    return deepcopy(header), list(faults)


@lru_cache(maxsize=4)  # a build reads the header of a README.md twice: to check it, and for croissant.json
def _read_yaml(yaml_text: str) -> tuple[dict[Any, Any], list[str]]:
    try:
        if beyond := _beyond_limits(yaml_text):
            return {}, [f"the header {beyond}"]
        loader = yaml.SafeLoader(yaml_text)
        root = loader.get_single_node()
        twice = [f"{key}: is there twice in one map" for key in _repeated_keys(root)]
        header = None if root is None else loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [f"the header is not YAML: {' '.join(str(error).split())}"]
    if not isinstance(header, dict):
        return {}, ["the header is not a map of keys to values"]
    return ({}, twice) if twice else (header, [])


def _beyond_limits(yaml_text: str) -> str | None:
    """What a header has that no card needs and that could exhaust the machine; None if nothing. Nothing is built."""
    if len(yaml_text) > _MAX_HEADER:
        return f"has more than {_MAX_HEADER:,} characters"
    depth = values = 0
    for event in yaml.parse(yaml_text, Loader=_EVENTS):
        if isinstance(event, yaml.AliasEvent):  # a few lines of them can stand for more values than fit into memory
            return f"has an alias (*{event.anchor}); write the value itself"
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        depth += isinstance(event, yaml.CollectionStartEvent)
        values += isinstance(event, yaml.NodeEvent)
        if depth > _MAX_DEPTH or values > _MAX_VALUES:
            return f"has more than {_MAX_VALUES:,} values, or values more than {_MAX_DEPTH} levels deep"
    return None


def _repeated_keys(root: yaml.Node | None) -> Iterator[str]:
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            stack += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            yield from sorted({key for key in keys if keys.count(key) > 1})
            stack += reversed([value for _, value in node.value])


def _texts(header: Mapping[Any, Any], key: str) -> tuple[list[str], list[str]]:
    """The texts under `key` (one, or a list of them), and what is wrong with the value."""
    value = header.get(key)
    if value is None:
        return [], [f"{key}: has no value"] if key in header else []
    values = value if isinstance(value, list) else [value]
    faults = [
        f"{key}: {item!r} is not text; put it in quotes"
        for item in values
        if not isinstance(item, str) or not item.strip()
    ]
    texts = [item for item in values if isinstance(item, str) and item.strip()]
    twice = [f"{key}: {item} is listed twice" for item in sorted(set(texts)) if texts.count(item) > 1]
    return texts, faults + twice


def _check_fields(header: Mapping[Any, Any]) -> Iterator[str]:
    for key in header:
        if not isinstance(key, str):
            yield f"{key!r}: the key is not text; put it in quotes"
    languages, faults = _texts(header, "language")
    yield from faults
    for code in languages:
        if code not in _LANGUAGES and not re.fullmatch("[a-z]{3}", code):
            yield f"language: {code} is not an ISO 639 code"
    for key, options in _OPTIONS.items():
        values, faults = _texts(header, key)
        yield from faults
        for value in values:
            if value not in options:
                yield f"{key}: {value} is not one of the values that the Hub knows"
    for key in _TEXTS:
        yield from _texts(header, key)[1]
    for key in ("pretty_name", "license_name", "license_link"):
        values, faults = _texts(header, key)
        yield from faults
        if isinstance(header.get(key), list):
            yield f"{key}: must be one text, not a list"
    if "version" in header and not _is_version(header["version"]):
        yield f"version: {header['version']!r} is not of the form x.y.z"


def _is_version(value: object) -> bool:
    return isinstance(value, str) and bool(_VERSION.fullmatch(value))


def _check_license(header: Mapping[Any, Any]) -> Iterator[str]:
    licenses, _ = _texts(header, "license")
    if not licenses and "license" not in header:
        yield "license: is missing; write `unknown`, or `other` if it is not in the Hub's list"
    extras = {"license_name": _LICENSE_NAME, "license_link": _LICENSE_LINK}
    for key, form in extras.items():
        value = header.get(key)
        if "other" in licenses and value is None:
            yield f"{key}: is missing; `license: other` needs it"
        if "other" not in licenses and value is not None:
            yield f"{key}: is allowed only with `license: other`"
        if isinstance(value, str) and not form.fullmatch(value):
            wanted = "an id in lower case" if key == "license_name" else "LICENSE, LICENSE.md or a URL"
            yield f"{key}: {value} is not {wanted}"


def _maps(value: object) -> list[Mapping[Any, Any]] | None:
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    return None


def _check_configs(header: Mapping[Any, Any], paths: Collection[str] | None) -> Iterator[str]:
    if "configs" not in header:
        return
    configs = _maps(header["configs"])
    if not configs:
        yield "configs: is not a list of maps"
        return
    names = [config.get("config_name") for config in configs]
    for config, name in zip(configs, names, strict=True):
        if not isinstance(name, str) or not _CONFIG_NAME.fullmatch(name):
            yield f"configs: {name!r} is not a valid name of a config"
        elif names.count(name) > 1:
            yield f"configs: {name} is listed twice"
        if not isinstance(config.get("default", False), bool):
            yield f"configs: {name}: default must be true or false"
        if "version" in config and not _is_version(config["version"]):
            yield f"configs: {name}: version {config['version']!r} is not of the form x.y.z"
        if not isinstance(config.get("description", ""), str):
            yield f"configs: {name}: the description must be text"
        for fault in _check_data_files(config.get("data_files"), paths):
            yield f"configs: {name}: {fault}"
    if sum(config.get("default") is True for config in configs) > 1:
        yield "configs: more than one is the default"


def _check_data_files(value: object, paths: Collection[str] | None) -> Iterator[str]:
    entries = _maps(value)
    if not entries:
        yield "data_files is not a list of maps with `split` and `path`"
        return
    splits = [entry.get("split") for entry in entries]
    for entry, split in zip(entries, splits, strict=True):
        if not isinstance(split, str) or not _SPLIT_NAME.fullmatch(split):
            yield f"{split!r} is not a valid name of a split"
        elif splits.count(split) > 1:
            yield f"split {split} is listed twice"
        patterns = entry.get("path")
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if not isinstance(pattern, str) or not _is_relative(pattern):
                yield f"{pattern!r} is not a pattern relative to the repository"
            elif paths is not None and not any(fnmatchcase(path, pattern) for path in paths):
                yield f"{pattern} matches no file"


def _is_relative(pattern: str) -> bool:
    return bool(pattern) and not re.search(r"^/|\\|:|\0", pattern) and ".." not in pattern.split("/")


def _check_info(header: Mapping[Any, Any]) -> Iterator[str]:
    info = header.get("dataset_info")
    if info is None:
        return
    infos = _maps(info if isinstance(info, list) else [info])
    if not infos:
        yield "dataset_info: must be a map or a list of maps"
        return
    splits = {
        config.get("config_name"): [entry.get("split") for entry in _maps(config.get("data_files")) or ()]
        for config in _maps(header.get("configs")) or ()
    }
    for item in infos:
        name = item.get("config_name", "default")
        if splits and name not in splits:
            yield f"dataset_info: {name} is not in configs"
            continue
        entries = _maps(item.get("splits")) or []
        if splits and [entry.get("name") for entry in entries] != splits[name]:
            yield f"dataset_info: {name}: its splits differ from those of the config"
        for entry in entries:
            for key in ("num_examples", "num_bytes"):
                if type(entry.get(key, 0)) is not int or entry.get(key, 0) < 0:
                    yield f"dataset_info: {name}: {key} of {entry.get('name')} must be a whole number, 0 or more"
