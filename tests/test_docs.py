"""Every marked snippet of the documents runs, in order, in one folder; and what the documents name is there."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT
from .objects_server import object_store

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]

BLOCK = re.compile(r"<!-- run(?: with (\w+))? -->\n```(console|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
"""A module that the block needs, its kind, its lines, and what a Python block is shown to print."""

LEAST = {
    "README.md": 4,
    "docs/buckets.md": 0,
    "docs/build.md": 3,
    "docs/cluster.md": 3,
    "docs/explore.md": 2,
    "docs/load.md": 4,
    "docs/near-copies.md": 1,
    "docs/publish.md": 1,
    "docs/regenerate.md": 2,
    "docs/research.md": 5,
    "docs/splits.md": 1,
    "docs/take-back.md": 3,
    "docs/text-free.md": 2,
    "docs/text.md": 3,
    "docs/tutorial.md": 9,
    "docs/versions.md": 2,
}
"""How many snippets of a document run, at least."""


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]}


def commands_of(blocks: list[tuple[str, str, str]]) -> list[tuple[list[str], list[str]]]:
    """The commands of some blocks, each with the lines that it is shown to print; `…` stands for lines that are left out.

    Python blocks that follow each other are one command, because starting Python and its libraries takes most of their
    time. Each has variables of its own.
    """
    commands: list[tuple[list[str], list[str]]] = []
    for kind, group in itertools.groupby(blocks, key=lambda block: block[0]):
        members = list(group)
        texts = [text for _, text, _ in members]
        if kind == "python":
            program = f"for text in {texts!r}:\n    exec(text, {{'__name__': '__main__'}})"
            shown = [line.strip() for _, _, printed in members for line in printed.splitlines()]
            commands.append((["python", "-c", program], [line for line in shown if line not in ("", "…")]))
            continue
        for line in "".join(texts).splitlines():
            if line.startswith("$ "):
                commands.append((line[2:].split("  #")[0].split(), []))
            elif line.strip() not in ("", "…"):
                commands[-1][1].append(line.strip())
    return commands


@pytest.mark.parametrize(
    ("document", "module", "least"),
    [
        ("README.md", "", LEAST["README.md"]),
        *(
            pytest.param(*arguments, marks=pytest.mark.slow)
            for arguments in [
                *((document, "", least) for document, least in LEAST.items() if least and document != "README.md"),
                ("docs/research.md", "torch", 3),
                ("docs/research.md", "tokenizers", 2),
                ("docs/buckets.md", "obstore", 3),
            ]
        ),
    ],
)
def test_snippets_run(document: str, module: str, least: int, tmp_path: Path) -> None:
    """`module`: run the blocks that need it, which is no dependency, after the commands. `least`: how many there are."""
    if module and importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    for folder in ("examples", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    every = BLOCK.findall((ROOT / document).read_text("utf-8"))
    blocks = [block[1:] for block in every if block[0] == module or (block[1] == "console" and not block[0])]
    assert len(blocks) >= least
    with bucket_of_documents(tmp_path) if module == "obstore" else nullcontext():
        for command, shown in commands_of(blocks):
            found = subprocess.run(
                command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False
            )
            assert found.returncode == 0, f"{' '.join(command)}\n{found.stderr}"
            assert "couldn't be hashed" not in found.stderr, f"{' '.join(command)}\n{found.stderr}"
            printed = [line.strip() for line in found.stdout.splitlines()]
            assert [line for line in shown if line not in printed] == [], f"{' '.join(command)}\n{found.stdout}"


@contextmanager
def bucket_of_documents(home: Path) -> Iterator[None]:
    """The empty bucket s3://news; what is fetched from it is kept in a folder of the test."""
    with object_store() as store, pytest.MonkeyPatch.context() as patch:
        store.bucket(name="news")
        patch.setenv("HF_HOME", str(home / "home"))
        yield


def test_every_document_with_snippets_is_run() -> None:
    marked = {document for document in DOCUMENTS if BLOCK.search((ROOT / document).read_text("utf-8"))}
    assert marked == set(LEAST)


def anchors(document: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as code hosts make them."""
    prose = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    source = ROOT / document
    for name, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", source.read_text("utf-8")):
        target = source.parent / name if name else source
        assert target.exists(), f"{document}: {name}"
        assert not anchor or anchor in anchors(target), f"{document}: {name}#{anchor}"


def test_every_document_is_linked() -> None:
    linked = {
        name for document in DOCUMENTS for name in re.findall(r"\]\(([^)#:]+)", (ROOT / document).read_text("utf-8"))
    }
    for document in DOCUMENTS[1:]:
        assert {document, Path(document).name} & linked, document


def test_the_page_about_building_names_every_option() -> None:
    from newsdata.cli.main import cli

    text = (ROOT / "docs" / "build.md").read_text("utf-8")
    for parameter in cli.commands["build"].params:
        if parameter.param_type_name == "option" and parameter.name not in ("quiet",):
            assert any(f"`{name}" in text for name in (*parameter.opts, *parameter.secondary_opts)), parameter.name


def test_readme_shows_the_demo_as_it_is(demo: Path) -> None:
    import newsdata

    counts = newsdata.info(demo)["accounting"]
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"{counts['files_seen']} files = {counts['posts']} posts + {counts['rejects']} rejects" in text
    assert f"{counts['posts']} posts = {counts['articles']} articles + {counts['merged_posts']} merged" in text


def test_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```", text, re.DOTALL)
    assert shown
    command = ["newsdata", "build", "examples/archive", str(tmp_path / "demo-out")]
    printed = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True).stdout
    for line in shown[1].splitlines()[1:]:  # the first one names the folder and the seconds
        assert line in printed.splitlines(), line


def is_shortened(shown: Any, value: Any) -> bool:
    """Whether `shown` is `value` with fields and list items left out, and texts cut where "…" stands."""
    if isinstance(shown, dict):
        return all(name in value and is_shortened(field, value[name]) for name, field in shown.items())
    if isinstance(shown, list):
        return len(shown) <= len(value) and all(map(is_shortened, shown, value))
    if isinstance(shown, str) and shown.endswith("…"):
        return str(value).startswith(shown[:-1])
    return bool(shown == (value.isoformat() if hasattr(value, "isoformat") else value))


def test_readme_shows_a_row_as_it_is(demo: Path) -> None:
    import newsdata

    block = re.search(r"<!-- row -->\n```json\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    shown = json.loads(block[1])
    rows = newsdata.load_dataset(demo, split="train")
    found = [row for row in rows if row["article_id"] == shown["article_id"]]
    assert len(found) == 1
    assert is_shortened(shown, found[0])


def test_readme_names_configs_splits_reasons_and_commands() -> None:
    from newsdata.cli.main import cli
    from newsdata.curation.splits import REASONS
    from newsdata.schema import CONFIGS, SPLITS

    text = (ROOT / "README.md").read_text("utf-8")
    for name in (*CONFIGS, *SPLITS, *REASONS):
        assert f"`{name}`" in text, name
    for name in cli.commands:
        assert re.search(rf"(?:`|newsdata ){name}\b", text), name


def test_readme_says_which_commands_python_has() -> None:
    import newsdata
    from newsdata.cli.main import cli

    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    said = re.search(
        r"In Python, the functions (.*?) of `newsdata` do the same.*?`card`, (.*?) are commands only", text
    )
    assert said
    functions = re.findall(r"`(\w+)`", said[1])
    assert set(functions) <= set(newsdata.__all__)
    others = {"card", *re.findall(r"`(\w+)`", said[2])}
    assert {*functions, *others, "parse", "mentions"} == set(cli.commands) and not others & set(newsdata.__all__)


def test_options_in_the_documents_exist() -> None:
    """Of the commands that are written out, as in `newsdata build … --text none`, and of tables of options."""
    from newsdata.cli.main import cli

    known = {name: {o for p in c.params for o in (*p.opts, *p.secondary_opts)} for name, c in cli.commands.items()}
    for document in DOCUMENTS:
        text = (ROOT / document).read_text("utf-8")
        for name, rest in re.findall(r"(?:newsdata |`)(\w+)\b([^`\n]*)", text):
            for option in re.findall(r"(?<!\S)--?[a-z][\w-]*", re.sub(r'"[^"]*"', "", rest)) if name in known else ():
                assert option in known[name], f"{document}: newsdata {name} {option}"
        for name, table in re.findall(r"\| option of `(\w+)` \|.*\n((?:\|.*\n)+)", text):
            for row in table.splitlines()[1:]:
                for option in re.findall(r"`(--?[a-z][\w-]*)", row.split(" | ")[0]):
                    assert option in known[name], f"{document}: newsdata {name} {option}"


@pytest.mark.slow
def test_regenerate_names_every_stage(tmp_path: Path) -> None:
    import newsdata

    text = (ROOT / "docs" / "regenerate.md").read_text("utf-8")
    table = re.search(r"\| stage \| does \|\n(.*?)\n\n", text, re.DOTALL)
    assert table
    made = newsdata.build(ROOT / "examples" / "archive", tmp_path / "out", num_proc=1)
    assert set(made.stages) <= set(re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE))


def test_nothing_tells_where_it_was_written() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    words = re.compile("|".join(["/wo" + "rk/", "pypi" + r"\.org", "files\\.pytho" + "nhosted", "/ro" + "ot/"]))
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().decode("utf-8", "replace")
            assert not words.search(text), f"{name}: {words.search(text)}"
