"""`lockstep replay`: a recording run again, strategy included, and every decision compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, class_option, examples, json_option

if TYPE_CHECKING:
    from lockstep.run.recorded import Recorded
    from lockstep.run.replay import Replayed

DIFFERS = 1
EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep backtest my_strategy.py --data us_stocks --symbol IBM --no-sensitivity --record recorded",
    "lockstep replay recorded",
    "lockstep replay recorded --until 2008-09-15 --json",
)
data_option = click.option(
    "--data", "places", multiple=True, metavar="PATH|DATASET", help="Where the data are now, if they have moved; once for each source."
)  # fmt: skip


@click.command("replay", cls=Command, epilog=EXAMPLES)
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--until", metavar="TIME", help="Stop when every event up to then was handled, and print the whole state."
)
@click.option(
    "--strategy", metavar="STRATEGY.py", help="Run this one instead, and show the first decision that differs."
)
@class_option
@data_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path,
    until: str | None,
    strategy: str | None,
    class_name: str | None,
    places: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a recording again, and prove that it decides the same.

    FOLDER is what `lockstep backtest --record` left. The strategy's recorded source runs, whatever its file says today, on
    the very same data, and each command and order event is compared byte by byte. Ends with 1 at the first difference.
    """
    from lockstep.app.cli.console import RunProgress, print_json, prints_aside
    from lockstep.model.errors import UsageError
    from lockstep.run.recorded import Recorded
    from lockstep.run.replay import replay
    from lockstep.run.settings.moment import moment_ns

    if class_name is not None and strategy is None:
        raise UsageError("--class says which class of a file, and no file was given", hint="add --strategy STRATEGY.py")
    end = None if until is None else moment_ns(until, "--until")
    with prints_aside(as_json), RunProgress() as progress:
        recorded = Recorded(folder)
        other = None if strategy is None else (strategy, class_name)
        backtest = recorded.backtest(places, strategy=other, reading=progress.reading)
        found = replay(recorded, backtest, end, progress.events)
    changed = [] if strategy is not None else recorded.changed_files()
    notes = [f"{path} says something else now; what was recorded ran" for path in changed]
    if as_json:
        print_json(_facts(recorded, found, notes, strategy))
    else:
        _show(found, notes)
    ctx.exit(0 if found.identical else DIFFERS)


def _facts(recorded: "Recorded", found: "Replayed", notes: list[str], strategy: str | None) -> dict[str, Any]:
    from lockstep.store.catalog.times import time_text

    ending = recorded.ending or {}
    return {
        "journal": str(recorded.folder),
        "identical": found.identical,
        "events": found.events,
        "decisions": found.compared,
        "hash": found.decision_hash,
        "recorded_hash": ending.get("decision_hash"),
        "run_hash": found.run_hash,
        "strategy": strategy,
        "why": found.why or None,
        "difference": None if found.difference is None else found.difference._asdict(),
        "notes": notes,
        "until": None if found.state is None else time_text(found.clock),
        "state": found.state,
    }


def _show(found: "Replayed", notes: list[str]) -> None:
    from lockstep.app.cli.console import say, screen
    from lockstep.app.cli.options import SHORT_HASH
    from lockstep.app.cli.state_lines import state_lines
    from lockstep.run.recorded import shown

    console = screen()
    for note in notes:
        say(console, note, "yellow")
    counted = f"{found.events:,} events, {found.compared:,} decisions"
    if found.identical:
        what = "identical" if found.state is None else "identical so far"
        hashed = f", hash {found.decision_hash[:SHORT_HASH]}" if found.decision_hash else ""
        say(console, f"{what}: {counted}, every byte as recorded{hashed}", "bold green")
    else:
        say(console, f"not identical: {found.why}", "bold red")
        # A replay is some way past the difference when it is found: its events are no measure of it.
        before = counted if found.difference is None else f"{found.compared:,} decisions"
        say(console, f"the same before: {before}")
    if found.difference is not None:
        for name, line in (("recorded", found.difference.recorded), ("replayed", found.difference.replayed)):
            say(console, f"{name:<11}{'nothing more' if line is None else shown(line)}")
    if found.state is not None:
        say(console, "\n".join(state_lines(found.state)))
