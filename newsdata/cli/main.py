"""The command line: arguments, progress, exit codes. Where every error ends.

Exit codes: 0 good, 1 the data is at fault, 2 the call or the machine is, 130 stopped. Answers go to stdout (with
`--json` as one JSON object), progress and messages to stderr.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import re
import signal
import sys
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..errors import DriftError, MachineError, NewsdataError, RejectsError, shown
from ..graph.process import MEMORY, do_without_pandas, hear_stops

if TYPE_CHECKING:
    from ..building.build import Build

__all__ = ["cli", "main"]


class _Folder(click.Path):
    """A folder, which an empty name is not: it would be the current one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an unset variable of a shell."""
        if value == "":
            self.fail("the name is empty; write . for the current folder", param, ctx)
        return super().convert(value, param, ctx)


_FOLDER = _Folder(path_type=Path)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
_revision_option = click.option(
    "--revision", metavar="X.Y.Z", help="A version in DIR, or a range such as 1.*; by default the newest."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="newsdata", message="%(prog)s %(version)s")
def cli() -> None:
    """Package an archive of Jekyll news posts as a versioned, leak-free research dataset in Parquet."""


def main() -> NoReturn:
    """Run the command line; every error ends here, as one message and an exit code."""
    _open_standard_streams()
    os.environ |= MEMORY | dict(os.environ)
    gc.set_threshold(500_000)  # hardly anything here forms cycles, and there are many records to look at in vain
    hear_stops()
    code = 0
    try:
        code = cli.main(prog_name="newsdata", standalone_mode=False) or 0
        sys.stdout.flush()
    except NewsdataError as error:
        _complain(str(error))
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _complain("stopped; earlier versions are untouched, and the same command goes on from here")
        code = 130
    except (BrokenPipeError, SystemExit):  # the reader of our output went away; click makes a SystemExit of that
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 2
    except MemoryError:
        _complain("the machine ran out of memory; try --num-proc 1")
        code = 2
    except ImportError as error:
        _complain(f"a library cannot be loaded ({error}); install newsdata anew, or allow it more memory")
        code = 2
    except UnicodeEncodeError:
        _complain("the locale cannot name a path that is needed; run the same command with PYTHONUTF8=1")
        code = 2
    except OSError as error:
        _complain(str(MachineError(f"the system said: {error.strerror or error}", path=error.filename)))
        code = 2
    for late in (signal.SIGINT, signal.SIGTERM):  # the answer stands, nothing may spoil it now
        signal.signal(late, signal.SIG_IGN)
    gc.freeze()  # or the interpreter would look through all that is loaded once more, for a tenth of a second
    sys.exit(code)


def _open_standard_streams() -> None:
    """Lead closed standard streams to nowhere, lest the next file that is opened takes their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            stream = os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)


def _complain(message: str) -> None:
    with_place = message.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(
        sys.stderr.encoding or "utf-8"
    )
    click.echo(f"newsdata: {with_place}", err=True)


_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""What no terminal should get to see: controls, what turns the direction of text, halves of characters."""


def _print_json(value: object) -> None:
    plain = _plain(value)
    text = json.dumps(plain, ensure_ascii=False, indent=1)
    text = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # the locale has not all of these letters; JSON can do without
        text = json.dumps(plain, ensure_ascii=True, indent=1)
    click.echo(text)


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict | Counter):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def _say(text: str) -> None:
    """Print for people, whatever the terminal can show."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


# --------------------------------------------------------------------------------------------------------- build


@cli.command()
@click.argument("source")
@click.argument("out", type=_FOLDER)
@click.option("--version", metavar="X.Y.Z", help="The version to build; 1.0.0 for the first one.")
@click.option("--validation-from", metavar="DAY", help="First day of validation (YYYY-MM-DD); first version only.")
@click.option("--test-from", metavar="DAY", help="First day of test (YYYY-MM-DD); first version only.")
@click.option("--gap-days", type=click.IntRange(0), help="Days on each side of a border that are set aside.")
@click.option(
    "--drafts/--no-drafts", default=None, help="Whether posts below _drafts are read (default: as before, at first no)."
)
@click.option("--strict", is_flag=True, help="Any reject fails the build.")
@click.option(
    "--max-reject-share",
    type=click.FloatRange(0, 1),
    help="More rejects than this fraction of the posts fail the build (default: 0.01, and more than 10).",
)
@click.option(
    "--max-leak",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of a split's rows that may have a copy in an earlier split.",
)
@click.option("--num-proc", type=click.IntRange(1), help="Worker processes (default: cores available).")
@click.option(
    "--card", type=_FOLDER, help="The curator's prose (default: as before, at first the one newsdata brings)."
)
@click.option(
    "--text",
    type=click.Choice(["full", "none"]),
    help="none: blank every field that carries the publisher's words (default: as before, at first full).",
)
@click.option(
    "--history/--no-history",
    default=None,
    help="Whether the posts' earlier revisions are read, from a git repository (default: as before, at first no).",
)
@click.option("--base", type=_FOLDER, help="The version to follow (default: the newest in OUT).")
@click.option("--cache/--no-cache", default=True, help="Whether what earlier builds read may be used (default: yes).")
@click.option("--quiet", is_flag=True, help="No progress bar; one line at the end.")
@_json_option
def build(source: str, out: Path, quiet: bool, as_json: bool, **options: Any) -> None:
    """Build a version of the dataset: SOURCE is the archive, OUT the folder that holds the versions."""
    bar = None if quiet else _Bar()
    try:
        from ..building.build import build as build_version

        do_without_pandas()
        made = build_version(source, out, progress=bar, **options)
    except RejectsError as error:
        if as_json:
            _print_json({"error": str(error), "version": None, "created": False, "rejects": error.rejects})
        raise
    finally:
        if bar:
            bar.close()
    if as_json:
        _print_json(
            {
                "version": made.version,
                "path": made.path,
                "created": made.created,
                "accounting": made.manifest.accounting,
                "configuration": made.manifest.configuration,
                "stages": made.stages,
                "rejects": made.rejects,
                "notes": made.notes,
            }
        )
    elif quiet:
        _say(_one_line(made))
        for note in made.notes:
            _complain(f"note: {note}")
    else:
        _say(_summary(made))


class _Bar:
    """Progress on stderr, one bar a stage: rows a second and time left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            from tqdm import tqdm

            self.close()
            self._stage = stage
            self._bar = tqdm(
                total=total, desc=f"{stage:10}", unit="post", file=sys.stderr, leave=False, dynamic_ncols=True,
                disable=None,  # no bar where stderr is no terminal
            )  # fmt: skip
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _one_line(made: Build) -> str:
    a = made.manifest.accounting
    return (
        f"{made.path}: {a['files_seen']} files, {a['posts']} posts, {a['articles']} articles, "
        f"{a['rejects']} rejects, {a['ignored']} ignored, {a['excluded']} excluded"
    )


_REASONS = 5


def _summary(made: Build) -> str:
    if not made.created:
        notes = "".join(f"\n  {'note':>9}   {note}" for note in made.notes)
        return f"Nothing changed since {made.version}; nothing was written ({made.path}){notes}"
    a = made.manifest.accounting
    seconds = sum(stage["seconds"] for stage in made.stages.values())
    lines = [
        f"Built {made.path} in {seconds:.1f} s",
        f"  {a['files_seen']:>9,} files = {a['posts']:,} posts + {a['rejects']:,} rejects + {a['ignored']:,} ignored",
        f"  {a['posts']:>9,} posts = {a['articles']:,} articles + {a['merged_posts']:,} merged into one of them",
    ]
    dates = a["dates_by_split"]
    for split, rows in a["articles_by_split"].items():
        if rows:
            first, last = dates[split]
            lines.append(f"  {split:>9}   {rows:,} articles, {first} to {last}")
        elif split in ("validation", "test") and made.manifest.configuration["validation_from"]:
            lines.append(f"  {split:>9}   no article: none of its days, or all of them set aside")
    for reason, count in a["excluded_by_reason"].items():
        lines.append(f"  {'excluded':>9}   {count:,} articles: {reason}")
    for rule, count in a["rejects_by_rule"].items():
        lines.append(f"  {'rejected':>9}   {count:,} posts: {rule}")
        examples = [r for r in made.rejects if r.rule == rule][:3]
        for r in examples:
            lines.append(f"  {'':>9}     {shown(r.path)}{f', line {r.line}' if r.line else ''}: {shown(r.reason)}")
        if count > len(examples):
            lines.append(
                f"  {'':>9}     and {count - len(examples):,} more; they are in the config `rejects` and in --json"
            )
    if made.difference:
        reasons = made.difference.reasons
        more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        lines.append(
            f"  {made.difference.bump or '':>9}   since {made.difference.old}: "
            f"{'; '.join(reasons[:_REASONS]) or 'nothing changed'}{more}"
        )
    lines += [f"  {'note':>9}   {note}" for note in made.notes]
    lines += [f"  {'note':>9}   _config.yml: {note}" for note in a.get("config_notes", ())]
    return "\n".join(lines)


# --------------------------------------------------------------------------------------------------------- others


@cli.command()
@click.argument("file", type=_FOLDER)
@_json_option
def parse(file: Path, as_json: bool) -> None:
    """Read one post and show what was understood, as JSON."""
    from ..parsing.post import parse_post
    from ..schema import Reject

    found = parse_post(file)
    _print_json(found)
    if not as_json and found_issues(found):
        click.echo(f"issues: {', '.join(found_issues(found))}", err=True)
    if isinstance(found, Reject):
        raise click.exceptions.Exit(1)


def found_issues(found: Any) -> tuple[str, ...]:
    """The issues of a post; none for a reject."""
    return tuple(getattr(found, "issues", ()))


@cli.command()
@click.argument("directory", metavar="DIR")
@_revision_option
@_json_option
def info(directory: str, revision: str | None, as_json: bool) -> None:
    """What is in a dataset: counts, dates, splits, leakage, licence, citation."""
    from ..dataset.describe import info as describe

    facts = describe(directory, revision=revision)
    if as_json:
        _print_json(facts)
        return
    _say(_info_text(facts))


def _info_text(facts: dict[str, Any]) -> str:
    a, c = facts["accounting"], facts["configuration"]
    lines = [f"{facts.get('pretty_name') or 'dataset'} {facts['version']}   ({facts['path']})"]
    for config, splits in facts["configs"].items():
        for split, size in splits.items():
            if size["rows"]:
                days = facts["dates"].get(split) if config == "articles" else None
                when = f"   {days[0]} to {days[1]}" if days else ""
                lines.append(f"  {config:>9}  {split:<10} {size['rows']:>9,} rows {size['bytes'] / 1e6:>8.1f} MB{when}")
    lines.append(
        f"  {a['files_seen']:,} files = {a['posts']:,} posts + {a['rejects']:,} rejects + {a['ignored']:,} ignored; "
        f"{a['articles']:,} articles" + (f", {a['excluded']:,} of them set aside" if a["excluded"] else "")
    )
    lines.append(
        f"  validation from {c['validation_from']}, test from {c['test_from']} until {c['test_until']} "
        f"({c['timezone']})"
        if c["validation_from"]
        else f"  everything dated is train ({c['timezone']})"
    )
    if facts.get("yanked"):
        lines.insert(1, f"  yanked: {facts['yanked']}")
    if len(facts["versions"]) > 1:
        yanked = facts["yanked_versions"]
        lines.append("  versions: " + ", ".join(f"{v} (yanked)" if v in yanked else v for v in facts["versions"]))
    if facts.get("license"):
        lines.append(f"  licence: {facts['license']}")
    if facts.get("citation"):
        lines += ["", facts["citation"].strip()]
    return "\n".join(lines)


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--revision", metavar="X.Y.Z", help="Only this version, or a range such as 1.*; by default all in DIR.")
@_json_option
def verify(directory: str, revision: str | None, as_json: bool) -> None:
    """Check hashes, schema, accounting, offsets and splits; list every fault. A folder of versions: all of them, and the cache."""
    from ..maintenance.verify import verify as check

    found = check(directory, revision=revision)
    if as_json:
        _print_json(found)
    else:
        for fault in found.faults:
            _say(fault)
        for note in found.notes:
            _say(f"note: {note}")
        state = f"{len(found.faults)} faults" if found.faults else "good"
        _say(f"{found.path}: {state} ({found.files:,} files, {found.rows:,} rows)")
    if found.faults:
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("directory", metavar="DIR")
@click.argument("name", metavar="PATH|ID")
@_revision_option
@_json_option
def where(directory: str, name: str, revision: str | None, as_json: bool) -> None:
    """Which row, reject or exclusion a file of the archive (or an article id) became, and why."""
    from ..dataset.where import where as look

    found = look(directory, name, revision=revision)
    if as_json:
        _print_json(found)
    else:
        place = f", split {found.split}, {found.shard}" if found.split else f", {found.shard}" if found.shard else ""
        _say(f"{name}: {found.became}{place}")
        _say(f"  {found.why}")
        for post in found.posts:
            _say(f"  post {post}")
    if found.became == "unknown":
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("directory", metavar="DIR")
@click.argument("article_id", metavar="[ARTICLE_ID]", required=False)
@_revision_option
@_json_option
def duplicates(directory: str, article_id: str | None, revision: str | None, as_json: bool) -> None:
    """Who copied whom, and when: the clusters of near-copies, or the one that holds ARTICLE_ID."""
    from ..dataset.duplicates import duplicates as find

    found = find(directory, article_id, revision=revision)
    if as_json:
        _print_json(found)
        return
    if not found:
        _say("no article has a near-copy")
    for cluster in found[:20]:
        _say(f"{cluster.duplicate_cluster}: {len(cluster.members)} articles")
        for member in cluster.members:
            when = f"{member.published_at:%Y-%m-%d %H:%M}" if member.published_at else "no date".ljust(16)
            alike = (
                " first"
                if member is cluster.members[0]
                else "     -"
                if member.similarity is None
                else f"{member.similarity:6.2f}"
            )
            _say(
                f"  {when} {alike}  {member.split:<10} {member.publisher or '-'}  {member.title or ''}  {member.article_id}"
            )
    if len(found) > 20:
        _say(f"… and {len(found) - 20:,} more clusters; --json lists all")


@cli.command()
@click.argument("old", metavar="OLD", type=_FOLDER)
@click.argument("new", metavar="NEW", type=_FOLDER)
@_json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Rows added, changed, removed and moved between two versions, and the version bump they ask for."""
    from ..dataset.describe import diff as compare

    found = compare(old, new)
    if as_json:
        _print_json(found)
        return
    _say(f"{found.old} → {found.new}: {found.bump or 'nothing differs'}")
    for reason in found.reasons:
        _say(f"  {reason}")
    for change in found.changes[:20]:
        what = (
            f" ({', '.join(change.columns)})"
            if change.columns
            else f" from {change.old_path}"
            if change.old_path
            else ""
        )
        _say(f"    {change.config} {change.kind} {change.key}{what}")
    if len(found.changes) > 20:
        _say(f"    … and {len(found.changes) - 20:,} more; --json lists all")


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--check", is_flag=True, help="Fail when dataset_card.md and the data disagree.")
@click.option("--card", type=_FOLDER, help="The curator's prose (default: the one newsdata brings).")
@_revision_option
def card(directory: str, check: bool, card: Path | None, revision: str | None) -> None:
    """Print the card of a version, or check its source against the data."""
    from ..card.readme import check_card, read_card
    from ..dataset.open_version import open_version

    folder, manifest = open_version(directory, revision)
    if not check:
        _say((folder / "README.md").read_text(encoding="utf-8"))
        return
    faults = check_card(read_card(card), manifest)
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise DriftError(f"the card and the data disagree:{listed}", path=card or "dataset_card.md", faults=faults)
    _say(f"{card or 'dataset_card.md'} agrees with {folder}")


@cli.command()
@click.argument("directory", metavar="DIR")
@click.argument("target", metavar="REPO")
@click.option("--full-text", is_flag=True, help="Send the publishers' text, too; whether that may be done you decide.")
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@_revision_option
@_json_option
def publish(
    directory: str,
    target: str,
    full_text: bool,
    public: bool,
    dry_run: bool,
    yes: bool,
    revision: str | None,
    as_json: bool,
) -> None:
    """Send a version to a hub: one commit, then the tag. REPO is owner/name, a folder, or an address such as s3://…"""
    from ..publishing.plan import Plan
    from ..publishing.publish import plan as make_plan
    from ..publishing.publish import publish as send

    def show(found: Plan) -> None:
        where = target if found.private is None else f"{target} ({'private' if found.private else 'public'})"
        new = " (to be made)" if found.create else ""
        click.echo(f"{found.version} to {where}{new}: {len(found.new)} new, {len(found.changed)} changed, "
                   f"{len(found.deleted)} deleted, {len(found.unchanged)} unchanged files; "
                   f"{found.bytes / 1e6:.1f} MB to send", err=True)  # fmt: skip

    def confirm(found: Plan) -> bool:
        show(found)
        try:
            return yes or click.confirm("Send it?", err=True)
        except click.Abort:  # nobody is there to answer
            click.echo("", err=True)
            return False

    if dry_run:
        found = make_plan(directory, target, revision=revision, private=not public)
        show(found)
        if found.full_text and not full_text:
            click.echo("it holds the publishers' text: sending it needs --full-text", err=True)
        if as_json:
            _print_json(found)
        else:
            for label, paths in (("new", found.new), ("changed", found.changed), ("deleted", found.deleted)):
                for path in paths:
                    _say(f"  {label:8} {path}")
        return
    done = send(
        directory, target, revision=revision, full_text=full_text, private=not public, confirm=confirm,
        report=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    if as_json:
        _print_json(done)
    elif done.already:
        _say(f"{done.version} is there already, with the same content; nothing was sent")
    else:
        at = f" as commit {done.commit}, tag {done.tag}" if done.commit else ""
        _say(
            f"Published {done.version} to {done.target}{at}: {len(done.sent)} files, {done.bytes / 1e6:.1f} MB, verified"
        )


@cli.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--reason", required=True, help="Why, for whoever comes upon it.")
@click.option("--revision", metavar="X.Y.Z", help="The version, where DIR holds several.")
@_json_option
def yank(directory: Path, reason: str, revision: str | None, as_json: bool) -> None:
    """Mark a version as bad: newest and ranges pass it over, loading exactly it warns, publish refuses it."""
    from ..maintenance.yank import yank as mark

    folder = mark(directory, reason=reason, revision=revision)
    if as_json:
        _print_json({"path": folder, "reason": reason})
    else:
        _say(f"{folder}: yanked")


@cli.command()
@click.argument("out", type=_FOLDER)
@click.option("--keep", type=click.IntRange(1), required=True, help="How many good versions stay, the newest ones.")
@_json_option
def prune(out: Path, keep: int, as_json: bool) -> None:
    """Remove the oldest versions of OUT, and of the cache what the newest version does not use."""
    from ..maintenance.prune import prune as remove

    done = remove(out, keep=keep)
    if as_json:
        _print_json(done)
        return
    _say(f"Removed {', '.join(done.removed) or 'no version'}; kept {', '.join(done.kept)}")
    _say(f"  {done.freed / 1e6:.1f} MB are free now, {done.cache_entries:,} files of the cache among what went")


@cli.command()
@click.argument("out", type=_FOLDER)
@click.argument("article_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it stands in the ledger, which is published.")
@_json_option
def redact(out: Path, article_id: str, reason: str, as_json: bool) -> None:
    """Keep the article ID out of every version of OUT to come, and list the versions that still hold it."""
    from ..maintenance.redact import redact as take_out

    done = take_out(out, article_id, reason=reason)
    if as_json:
        _print_json(done)
        return
    known = "" if " ".join(reason.split()) == done.reason else " (the reason that stands in the ledger; it stays)"
    _say(f"{article_id} will be in no version to come: {done.reason}{known}")
    for version in done.held_by:
        _say(f"  {version} still holds it")
    if done.copies:
        _say(f"  near-copies and former names of it stay, as other articles: {', '.join(done.copies)}")


@cli.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.argument("source")
@click.argument("out", type=_FOLDER)
@click.option("--num-proc", type=click.IntRange(1), help="Worker processes (default: cores available).")
@click.option("--quiet", is_flag=True, help="No progress bar; one line at the end.")
@_json_option
def rehydrate(directory: Path, source: str, out: Path, num_proc: int | None, quiet: bool, as_json: bool) -> None:
    """Make the full build of a text-free version from a copy of the archive, equal to the stored hashes."""
    from ..maintenance.rehydrate import rehydrate as make_full

    bar = None if quiet else _Bar()
    try:
        made = make_full(directory, source, out, num_proc=num_proc, progress=bar)
    finally:
        if bar:
            bar.close()
    if as_json:
        _print_json(made)
        return
    what = "bytes" if made.same_bytes else "rows, in other bytes"
    _say(f"Built {made.path}: {made.shards:,} shards with the {what} of the full build")
    if quiet:
        return
    if made.other_posts:
        _say(f"  {made.other_posts:,} posts that {made.version} does not have were left out")
    for name, (then, here) in made.tools.items():
        _say(f"  {name} {here} is here; the full build had {then}")
