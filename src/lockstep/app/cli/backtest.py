"""`lockstep backtest`: a strategy file on recorded prices."""

import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import (
    SHORT_HASH,
    Command,
    examples,
    json_option,
    log_level_option,
    logs_option,
    quiet_option,
    record_option,
    run_options,
    runs_option,
)

if TYPE_CHECKING:
    from lockstep.model.fees import FeeSchedule
    from lockstep.run.backtest import Backtest
    from lockstep.run.config import BacktestConfig
    from lockstep.run.data_source import DataSource

EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep backtest my_strategy.py --data us_stocks --symbol AAPL --symbol IBM",
    "lockstep backtest my_strategy.py --data us_stocks --param fast=12 --start 2005-01-01 --fee 0.1% --json",
    "lockstep backtest my_strategy.py --data us_stocks --symbol IBM --no-sensitivity --record recorded",
    "lockstep backtest my_strategy.py --data us_stocks --logs logs --log-level info,orders=debug",
)
NOT_PART_OF_THE_RUN = {
    "strategy", "root", "report", "record", "no_sensitivity", "no_save", "as_json", "logs", "log_level", "quiet",
    "speed", "break_at", "break_when", "break_on", "snapshot", "snapshot_at", "restore",
}  # fmt: skip
"""What changes where results go or how they are shown, and hence no result."""


@click.command("backtest", cls=Command, epilog=EXAMPLES)
@click.argument("strategy", metavar="STRATEGY.py")
@run_options
@runs_option
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write the HTML report there.")
@record_option
@click.option("--no-sensitivity", is_flag=True, help="Skip the reruns with other costs, latencies and bar path.")
@click.option("--no-save", is_flag=True, help="Keep nothing in the folder of runs.")
@logs_option
@log_level_option
@quiet_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Run a strategy on recorded prices.

    Defaults are pessimistic: fees, latency and slippage are on, and the order of prices inside a bar is the one that
    hurts. Without --no-sensitivity the run is repeated under other costs and latencies for the report.
    """
    from lockstep.app.cli.console import RunProgress, print_json, prints_aside, say, screen
    from lockstep.app.cli.launch import Recording, check_writable, run_backtest
    from lockstep.app.cli.logs import log_at, logs_as_json, quiet_if, warn_of_lost
    from lockstep.app.cli.outcome_table import show_outcome, show_places

    check_writable(given["report"], given["record"])
    log = log_at(given["logs"], given["log_level"])
    with prints_aside(given["as_json"]), quiet_if(given["quiet"]), RunProgress(given["quiet"]) as progress:
        run = run_backtest(
            backtest_of(given, progress.reading),
            progress,
            command=line_of(ctx),
            root=None if given["no_save"] else given["root"],
            sensitivity=not given["no_sensitivity"],
            report=given["report"],
            log=log,
            recording=Recording(given["record"], [source_of(given)]) if given["record"] is not None else None,
        )
    warn_of_lost(log)
    if given["quiet"]:
        return
    if given["as_json"]:
        print_json(run.as_json() | logs_as_json(log))
        return
    console = screen()
    show_outcome(console, run)
    show_places(console, run)
    if run.report is None and run.folder is not None:
        say(console, f"Next    {next_line(run.facts['run_hash'], given['root'])}", "cyan")


def next_line(run_hash: str, root: Path) -> str:
    """The command that writes a run's report."""
    elsewhere = "" if str(root) == "runs" else f" --runs {shlex.quote(str(root))}"
    return f"lockstep report {run_hash[:SHORT_HASH]}{elsewhere}"


def backtest_of(given: dict[str, Any], reading: Callable[[str], None]) -> "Backtest":
    """The run that the shared options ask for. reading: told before the data is read. Raises: LockstepError: what is wrong."""
    from lockstep.app.cli.values import params_of
    from lockstep.run.backtest import Backtest
    from lockstep.run.plan import StrategyPlan
    from lockstep.run.strategy_file import load_strategy
    from lockstep.store.catalog.funding import read_funding

    config = config_of(given)
    params = params_of(given["params"])
    strategy = load_strategy(given["strategy"], given["class_name"])
    # A wrong parameter or timeframe is told before a long read.
    plan = StrategyPlan(strategy, params, timeframe=given["timeframe"])
    funding = {name: read_funding(Path(file)) for name, file in _named(given["funding"], "--funding", "SYMBOL=FILE")}
    reading(given["data"])
    return Backtest([plan], source_of(given).read(config.fees), config, funding=funding, chosen=given["symbols"])


def source_of(given: dict[str, Any]) -> "DataSource":
    """Where the options say the data are, and how to read them."""
    from lockstep.run.data_source import DataSource

    return DataSource(
        where=given["data"],
        symbols=given["symbols"] or None,
        kind=given["kind"],
        asset_class=given["asset_class"],
        calendar=given["calendar"],
    )


def config_of(given: dict[str, Any]) -> "BacktestConfig":
    """The options as a configuration. Raises: UsageError, ParseError, RefuseError: a value that cannot be used."""
    from msgspec.structs import replace

    from lockstep.app.cli.values import decimal_of
    from lockstep.risk.limits import RiskLimits
    from lockstep.run.config import BacktestConfig
    from lockstep.run.latency import with_file
    from lockstep.run.settings.limits_file import read_limits
    from lockstep.run.settings.moment import moment_ns
    from lockstep.sim.models import BarFills, Slippage, book_fills_from_text, latency_from_text

    def number(name: str) -> Decimal:
        return decimal_of(given[name], f"--{name.replace('_', '-')}")

    def limit(name: str) -> Decimal | None:
        return None if given[name] is None else number(name)

    def moment(name: str) -> int | None:
        return None if given[name] is None else moment_ns(given[name], f"--{name}")

    base = RiskLimits() if given["risk"] is None else read_limits(given["risk"])
    limits = {"order_qty_max": limit("max_order_qty"), "position_max": limit("max_position")}
    free = given["participation"].strip().lower() == "none"
    return BacktestConfig(
        cash=number("cash"),
        leverage=number("leverage"),
        currency=None if given["currency"] is None else given["currency"].upper(),
        rates={name.upper(): decimal_of(rate, "--rate") for name, rate in _named(given["rates"], "--rate", "CODE=N")},
        borrow=number("borrow"),
        fees=_fees(given["fee"]),
        latency=with_file(latency_from_text(given["latency"])),
        slippage=Slippage(bps=number("slippage_bps"), volume_impact=number("volume_impact")),
        fills=BarFills(
            path=given["bar_path"],
            limit_fill=given["limit_fill"],
            participation=None if free else number("participation"),
        ),
        books=book_fills_from_text(given["queue"], given["recovery"], given["silence"], given["book_start"]),
        limits=replace(base, **{name: value for name, value in limits.items() if value is not None}),
        sessions=_sessions(given["sessions"], given["extended_hours"]),
        missing_bars=given["missing_bars"],
        seed=given["seed"],
        start_ns=moment("start"),
        end_ns=moment("end"),
    )


def _named(words: tuple[str, ...], option: str, form: str) -> list[tuple[str, str]]:
    from lockstep.model.errors import UsageError

    pairs = [word.partition("=") for word in words]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise UsageError(f"{option} takes {form}: was {name + equals + value!r}")
    return [(name, value) for name, _, value in pairs]


def _sessions(text: str | None, extended: bool) -> tuple[str, ...]:
    from lockstep.model.errors import UsageError

    if extended:
        if text is not None:
            raise UsageError("--extended-hours and --sessions were both given", hint="leave one of them out")
        return ("pre", "regular", "after")
    return () if text is None else tuple(part.strip().lower() for part in text.split(","))


def _fees(text: str | None) -> "FeeSchedule | None":
    from lockstep.model.errors import ParseError, UsageError
    from lockstep.model.fees import fee_schedule_from_text

    if text is None:
        return None
    try:
        return fee_schedule_from_text(text)
    except ParseError as e:
        raise UsageError(f"--fee: {e}", hint=e.hint or "examples: 0.1%, 0.02%/0.05%, 0.005/share, 1/order") from e


def line_of(ctx: click.Context, command: str = "backtest") -> str:
    """The command line that gives this run again: what was typed, as it was typed, in the order of the options."""
    words = ["lockstep", command, ctx.params["strategy"]]
    for option in ctx.command.params:
        name = option.name or ""
        if name in NOT_PART_OF_THE_RUN or name not in ctx.params:
            continue
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        for one in value if isinstance(value, tuple) else (value,):
            words += [option.opts[0], str(one)]
    return shlex.join(words)
