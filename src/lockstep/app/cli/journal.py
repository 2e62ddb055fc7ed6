"""`lockstep journal`: check a journal, show it, write it out as JSON Lines, and set a torn tail aside."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.app.cli.root import Subcommands

if TYPE_CHECKING:
    from lockstep.store.journal.layout import Record
    from lockstep.store.journal.reader import Journal

NOT_WHOLE = 1
_FIRST = ("sequence", "ts", "type")
_EXAMPLE = "recorded"

folder_argument = click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
type_option = click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only records of this type, such as fill; repeatable."
)
from_option = click.option(
    "--from", "start", metavar="TIME", help="Only from this moment on, by the engine's clock: ISO, UTC unless it says a zone."
)  # fmt: skip
until_option = click.option("--until", "end", metavar="TIME", help="Only before this moment.")


@click.group("journal", cls=Subcommands, epilog=examples("lockstep journal --help"))
def command() -> None:
    """Check a journal, show it, or write it out.

    A journal is a folder of .journal files: every command, order event and input of a session, each with a checksum,
    chained so that no record can be changed, lost or added unseen. None of these commands changes one but recover --cut.
    """


@command.command(
    "verify",
    cls=Command,
    epilog=examples(f"lockstep journal verify {_EXAMPLE}", f"lockstep journal verify {_EXAMPLE} --json"),
)
@folder_argument
@json_option
@click.pass_context
def verify(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Check every checksum, sequence number and link of a journal.

    Ends with 0 if it is whole, with 1 if its tail is torn (a crash: all before it is good) or if it is damaged.
    """
    from lockstep.app.cli.console import print_json, say, screen
    from lockstep.store.catalog.times import time_text
    from lockstep.store.journal.errors import DamagedJournal, TornJournal
    from lockstep.store.journal.reader import Journal

    try:
        found = Journal(folder).survey()
    except DamagedJournal as e:
        if not as_json:
            raise
        place = {"file": e.path.name, "block": e.block, "offset": e.offset}
        print_json({"journal": str(folder), "status": "damaged", **place, "error": str(e), "hint": e.hint})
        ctx.exit(NOT_WHOLE)
    facts: dict[str, Any] = {
        name: getattr(found, name) for name in ("segments", "blocks", "records", "last_sequence", "size", "closed")
    }
    facts |= {"first": time_text(found.first_ts), "last": time_text(found.last_ts), "hash": found.chain.hex()}
    torn = found.torn
    if as_json:
        place = {} if torn is None else {"file": torn.path.name, "block": torn.block, "offset": torn.offset}
        print_json({"journal": str(folder), "status": "torn" if torn else "whole", **facts, **place})
        ctx.exit(NOT_WHOLE if torn else 0)
    console = screen()
    say(
        console,
        f"{found.records:,} records in {found.blocks:,} blocks and {found.segments} segments, every one as written",
    )
    if found.records:
        say(console, f"from {facts['first']} to {facts['last']}, {found.size:,} bytes, hash {facts['hash'][:16]}")
    if torn is not None:
        raise TornJournal(torn.text(), hint=f"lockstep journal recover {folder} says what can be done")
    if not found.closed:
        say(console, "not closed: its writer is still at work, or ended without a word", "yellow")


@command.command(
    "cat",
    cls=Command,
    epilog=examples(
        f"lockstep journal cat {_EXAMPLE} --limit 5",
        f"lockstep journal cat {_EXAMPLE} --type fill --from 2000-06-01 --until 2001-01-01 --json",
    ),
)
@folder_argument
@type_option
@from_option
@until_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N.")
@json_option
def cat(
    folder: Path, types: tuple[str, ...], start: str | None, end: str | None, limit: int | None, as_json: bool
) -> None:
    """Print a journal's records, one a line.

    --json gives one object that holds them all; for a long journal `export` writes one object a line instead.
    """
    import msgspec

    from lockstep.app.cli.console import print_json
    from lockstep.store.journal.reader import Journal

    journal = Journal(folder)
    lines = selected(journal, types, start, end, limit)
    if as_json:
        records = [msgspec.json.decode(msgspec.json.encode(line)) for line in lines]  # bytes as base64, no NaN
        print_json({"journal": str(folder), "records": records, "torn": journal.torn is not None})
    else:
        for line in lines:
            click.echo(_shown(line))
    _warn_of_torn(journal)


@command.command(
    "export",
    cls=Command,
    epilog=examples(
        f"lockstep journal export {_EXAMPLE} --out records.jsonl", f"lockstep journal export {_EXAMPLE} --type fill"
    ),
)
@folder_argument
@type_option
@from_option
@until_option
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file; by default FOLDER.jsonl; - for standard output."
)  # fmt: skip
@json_option
def export(
    folder: Path, types: tuple[str, ...], start: str | None, end: str | None, out: Path | None, as_json: bool
) -> None:
    """Write a journal as JSON Lines: one object a record, in order.

    The file appears when it is complete. --json prints how many records went where.
    """
    import msgspec

    from lockstep.app.cli.console import print_json, say, screen
    from lockstep.model.errors import UsageError
    from lockstep.store.journal.reader import Journal

    journal = Journal(folder)
    lines = selected(journal, types, start, end, None)
    if str(out) == "-":
        if as_json:
            raise UsageError("--json and --out - both want standard output", hint="name a file with --out")
        for line in lines:
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        _warn_of_torn(journal)
        return
    path = out or _beside(folder)
    if path.is_dir() or path.resolve().parent == folder.resolve():
        raise UsageError(
            f"--out {path}: {'a folder' if path.is_dir() else 'inside the journal, which stays as it is'}",
            hint="name a file elsewhere",
        )
    part = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with part.open("wb") as file:
            for line in lines:
                file.write(msgspec.json.encode(line) + b"\n")
                count += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        print_json({"journal": str(folder), "out": str(path), "records": count, "torn": journal.torn is not None})
    else:
        say(screen(), f"{count:,} records in {path}")
    _warn_of_torn(journal)


@command.command("recover", cls=Command, epilog=examples(f"lockstep journal recover {_EXAMPLE}"))
@folder_argument
@click.option("--cut", is_flag=True, help="Permission to cut off a torn tail, which is kept in a file beside it.")
@json_option
def recover_journal(folder: Path, cut: bool, as_json: bool) -> None:
    """Say what a restart would find in a journal; with --cut, set a torn tail aside.

    A restart takes the newest snapshot that checks and replays the records after it. Damage before the tail is never
    mended: the file has to come back from a copy.
    """
    from lockstep.app.cli.console import print_json, say, screen
    from lockstep.store.journal.recovery import recover
    from lockstep.store.journal.writer import cut_torn_tail

    found = recover(folder)
    survey = found.journal.survey()
    kept = cut_torn_tail(folder) if cut and survey.torn else None
    sequence = found.snapshot.sequence if found.snapshot else None
    facts = {
        "journal": str(folder),
        "snapshot": sequence,
        "replay": survey.last_sequence - (sequence or 0),
        "last_sequence": survey.last_sequence,
        "skipped": list(found.skipped),
        "torn_bytes": survey.torn.size if survey.torn else 0,
        "set_aside": str(kept) if kept else None,
    }
    if as_json:
        print_json(facts)
        return
    console = screen()
    for reason in found.skipped:
        say(console, f"passed over: {reason}", "yellow")
    state = f"the snapshot after record {sequence:,}" if sequence is not None else "no snapshot"
    say(console, f"{state}, and {facts['replay']:,} records to replay, up to {survey.last_sequence:,}")
    if kept is not None:
        say(console, f"{facts['torn_bytes']:,} bytes of a torn block set aside in {kept}")
    elif survey.torn is not None:
        say(console, survey.torn.text(), "yellow")
        say(console, f"lockstep journal recover {folder} --cut moves those bytes to a file beside it", "dim")


def selected(
    journal: "Journal", types: tuple[str, ...], start: str | None, end: str | None, limit: int | None
) -> Iterator[dict[str, Any]]:
    """The records asked for, as plain data.

    Raises: UsageError: not a moment, or a type that no record of the journal has and none of the engine's is.
    """
    from lockstep.model.errors import UsageError, did_you_mean
    from lockstep.run.journal_lines import TYPES, JournalLines, type_of
    from lockstep.store.catalog.times import moment_ns

    first, stop = moment_ns(start, "--from"), moment_ns(end, "--until")
    wanted = {word.lower() for word in types}
    seen = {name: name for name in TYPES}
    names = JournalLines(journal.identity())
    left = limit
    for record in journal.records():
        name = type_of(record)
        seen[name.lower()] = name
        if (wanted and name.lower() not in wanted) or not _within(record, first, stop):
            continue
        yield names.line(record)
        if left is not None:
            left -= 1
            if not left:
                return
    for word in types:
        if word.lower() not in seen:
            raise UsageError(f"{journal.folder}: no record of type {word!r}", hint=did_you_mean(word, seen.values()))


def _beside(folder: Path) -> Path:
    whole = folder if folder.name not in ("", "..") else folder.resolve()
    return whole.with_name(f"{whole.name}.jsonl")


def _within(record: "Record", start: int | None, end: int | None) -> bool:
    return (start is None or record.ts >= start) and (end is None or record.ts < end)


def _shown(line: dict[str, Any]) -> str:
    rest = [f"{_word(name)}={_word(value)}" for name, value in line.items() if name not in _FIRST and value is not None]
    return f"{line['sequence']:>9} {line['ts']:<30} {_word(line['type']):<16} {' '.join(rest)}"


def _word(value: Any) -> str:
    """A value on one line: texts with blanks or control characters are quoted, so that none can pass for another line."""
    import json

    import msgspec

    if isinstance(value, str) and value.isprintable() and " " not in value:
        return value
    return json.dumps(msgspec.to_builtins(value))


def _warn_of_torn(journal: "Journal") -> None:
    if journal.torn is not None:
        click.echo(f"warning: {journal.torn.text()}", err=True)
