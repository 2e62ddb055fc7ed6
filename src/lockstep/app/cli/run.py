"""`lockstep run`: what a settings file says."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import Command, config_option, examples, json_option, record_option, set_option

if TYPE_CHECKING:
    from lockstep.run.backtest import Outcome
    from lockstep.run.settings.settings import Settings

EXAMPLES = examples(
    "lockstep new trend --config --force",
    "lockstep run --config trend.toml",
    "lockstep run --config trend.toml --set engine.cash=50000 --set strategies.trend.parameters.fast=12 --json",
)
_IN_THE_FILE = {
    "--currency": "engine.currency",
    "--rate": "engine.rates",
    "--funding": "engine.funding",
    "--borrow": "engine.borrow",
    "--max-order-qty": "risk.max_order_qty",
    "--max-position": "risk.max_position",
    "--cash": "engine.cash",
    "--leverage": "engine.leverage",
    "--start": "engine.start",
    "--end": "engine.end",
    "--calendar": "data.calendar",
    "--session": "data.calendar",
    "--extended-hours": "engine.sessions",
    "--sessions": "engine.sessions",
    "--missing-bars": "engine.missing_bars",
    "--participation": "venue.participation",
    "--symbol": "data.symbols",
    "--silence": "venue.silence",
    "--book-start": "venue.book_start",
    "--timeframe": "timeframe of the strategy",
    "--asset-class": "data.asset_class",
    "--class NAME": 'class = "NAME"',
}
"""What the advice of other rooms calls by its option on a command line, as the file calls it."""
_WITH_A_VALUE = re.compile(r"(--currency) ([A-Z0-9]+)\b")


@click.command("run", cls=Command, epilog=EXAMPLES)
@config_option
@set_option
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write the HTML report there.")
@record_option
@click.option("--no-save", is_flag=True, help="Keep nothing in the folder of runs.")
@json_option
def command(
    path: Path | None,
    words: tuple[str, ...],
    report: Path | None,
    record: Path | None,
    no_save: bool,
    as_json: bool,
) -> None:
    """Run what a settings file says.

    The file (TOML, YAML or JSON) names the data, the venue, the risk limits and any number of strategies, which share
    the account. Above it stand a .env beside it, then the environment (LOCKSTEP_ENGINE__CASH=50000), then --set.
    """
    from lockstep.app.cli.backtest import next_line
    from lockstep.app.cli.console import RunProgress, print_json, prints_aside, say, screen
    from lockstep.app.cli.launch import Recording, check_writable, run_backtest
    from lockstep.app.cli.logs import log_in, logs_as_json, quiet_if, warn_of_lost
    from lockstep.app.cli.outcome_table import show_outcome, show_places
    from lockstep.run.backtest import Backtest
    from lockstep.run.settings.load import load_settings
    from lockstep.run.settings.prepare import (
        chosen_from,
        config_from,
        funding_from,
        plans_from,
        read_data,
        sources_from,
    )

    settings = load_settings(path_of(path), words)
    output = settings.table("output")
    target = report or (settings.resolve(output["report"]) if output["report"] else None)
    root = settings.resolve(output["runs"]) if output["runs"] else Path("runs")
    check_writable(target, record)
    log, quiet = log_in(settings), not settings.table("logs")["console"]
    with prints_aside(as_json), quiet_if(quiet), RunProgress(quiet) as progress, told_in_the_files_words():
        config = config_from(settings)
        plans = plans_from(settings)
        run = run_backtest(
            Backtest(
                plans,
                read_data(settings, progress.reading),
                config,
                funding=funding_from(settings),
                chosen=chosen_from(settings),
            ),
            progress,
            command=line_of(settings),
            root=None if no_save else root,
            sensitivity=output["sensitivity"],
            report=target,
            log=log,
            recording=Recording(record, sources_from(settings)) if record is not None else None,
        )
    warn_of_lost(log)
    if quiet:
        return
    run = run._replace(notice=in_the_files_words(run.notice))
    shares = shares_of(run.outcome)
    if as_json:
        print_json(run.as_json() | logs_as_json(log) | {"config": str(settings.path), "strategies": shares})
        return
    console = screen()
    show_outcome(console, run)
    if len(shares) > 1:
        _show_shares(shares)
    show_places(console, run)
    if run.report is None and run.folder is not None:
        say(console, f"Next    {next_line(run.facts['run_hash'], root)}", "cyan")


def path_of(given: Path | None) -> Path:
    """The settings file: what was given, else the one of this folder. Raises: UsageError: there is none."""
    from lockstep.model.errors import UsageError
    from lockstep.run.settings.load import FILE_NAMES, find_file

    found = given or find_file(Path())
    if found is None:
        raise UsageError(
            f"no settings file: none was given, and none of {', '.join(FILE_NAMES)} is here",
            hint="lockstep run --config FILE, or lockstep new NAME --config for one to start from",
        )
    return found


def line_of(settings: "Settings") -> str:
    """The command line that gives this run again: what stood above the file is said by --set, but for secrets."""
    from lockstep.run.settings.overrides import masked

    said = {".".join(override.names): str(override.value) for override in settings.above}
    words = ["lockstep", "run", "--config", str(settings.path)]
    for name, value in said.items():
        words += ["--set", f"{name}={value}"] if masked(name, value) == value else []
    return shlex.join(words)


def shares_of(outcome: "Outcome") -> list[dict[str, Any]]:
    """Each strategy's part of a run, in the order of the file: fills, and money in the account's currency.

    realised is before fees and dividends; open: the open profit at the last price.
    """
    from lockstep.portfolio.attribution import shares as profit_of
    from lockstep.portfolio.attribution import total

    symbols = [instrument.symbol for instrument in outcome.backtest.instruments]
    seats = [
        number
        for number, plan in enumerate(outcome.backtest.plans)
        for _ in range(1 if plan.strategy.cls.trades == "all" else len(plan.picks(symbols)))
    ]
    names = ("realised", "unrealised", "fees", "dividends", "funding", "borrow")
    cells = profit_of(outcome.engine.portfolio)
    shares = []
    for number, plan in enumerate(outcome.backtest.plans):
        positions = outcome.engine.portfolio.positions
        part = total(cell for cell, one in zip(cells, positions, strict=True) if seats[one.strategy_index] == number)
        money = {"open" if name == "unrealised" else name: float(part.money(name)) for name in names}
        shares.append({"name": plan.name, "fills": part.fills, **money})
    return shares


def _show_shares(shares: list[dict[str, Any]]) -> None:
    from lockstep.app.cli.console import plain_table, say, screen, show

    numbers = ("fills", "realised", "fees", "dividends", "open")
    table = plain_table("strategy", *numbers, right=numbers)
    for share in shares:
        table.add_row(share["name"], f"{share['fills']:,}", *(f"{share[name]:,.2f}" for name in numbers[1:]))
    show(screen(), table)
    say(screen(), "")


def in_the_files_words(text: str) -> str:
    """Advice that names options of `lockstep backtest`, with the keys of a settings file instead."""
    text = _WITH_A_VALUE.sub(lambda found: f'{_IN_THE_FILE[found[1]]} = "{found[2]}"', text)
    for option in sorted(_IN_THE_FILE, key=len, reverse=True):  # --sessions before --session
        text = text.replace(option, _IN_THE_FILE[option])
    return text


@contextmanager
def told_in_the_files_words() -> Iterator[None]:
    """Errors inside come out with hints that fit a settings file."""
    from lockstep.model.errors import LockstepError

    try:
        yield
    except LockstepError as e:
        e.hint = in_the_files_words(e.hint)
        raise
