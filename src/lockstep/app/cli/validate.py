"""`lockstep validate`: would this strategy start?"""

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lockstep.app.cli.options import Command, class_option, examples, json_option, param_option

if TYPE_CHECKING:
    from lockstep.run.strategy_file import StrategyFile
    from lockstep.store.catalog.market_data import MarketData

EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep validate my_strategy.py",
    "lockstep validate my_strategy.py --param slow=50 --json",
)


class Declared(NamedTuple):
    """One indicator or window that on_start asked for. bars: until it is ready."""

    symbol: str
    name: str
    bars: int


@click.command("validate", cls=Command, epilog=EXAMPLES)
@click.argument("strategy", metavar="STRATEGY.py")
@param_option
@class_option
@click.option("--data", default="us_stocks", show_default=True, metavar="PATH|DATASET", help="The instruments it starts with.")  # fmt: skip
@click.option("--symbol", "symbols", multiple=True, metavar="S", help="Only this symbol; repeatable.")
@json_option
def command(
    strategy: str,
    params: tuple[str, ...],
    class_name: str | None,
    data: str,
    symbols: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check a strategy without running it.

    Loads the file, checks its handlers and parameters, and calls on_start once, as a backtest would before its first
    bar. Nothing is traded.
    """
    from lockstep.app.cli.console import print_json, prints_aside
    from lockstep.app.cli.values import params_of
    from lockstep.run.strategy_file import load_strategy
    from lockstep.store.catalog.readers import read_market_data
    from lockstep.strategy.base import HANDLERS, Strategy

    given = params_of(params)
    with prints_aside(as_json):
        loaded = load_strategy(strategy, class_name)
        instance = loaded.make(given)
        found = dry_start(loaded, given, read_market_data(data, symbols=symbols or None))
    facts = {
        "file": loaded.file_name,
        "class": loaded.name,
        "trades": loaded.cls.trades,
        "doc": (loaded.cls.__doc__ or "").strip() if loaded.cls.__doc__ != Strategy.__doc__ else "",
        "handlers": [name for name in HANDLERS if getattr(loaded.cls, name) is not getattr(Strategy, name)],
        "parameters": [
            {
                "name": entry.name,
                "type": entry.type_name,
                "default": _plain(entry.default),
                "value": _plain(getattr(instance, entry.name)),
                "minimum": entry.minimum,
                "maximum": entry.maximum,
                "choices": [_plain(choice) for choice in entry.choices],
                "doc": entry.doc,
            }
            for entry in loaded.cls.parameters.values()
        ],
        "indicators": [entry._asdict() for entry in found],
        "warmup_bars": max((entry.bars for entry in found), default=0),
        "valid": True,
    }
    if as_json:
        print_json(facts)
    else:
        _show(facts, strategy, data)


def dry_start(loaded: "StrategyFile", params: dict[str, str], data: "list[MarketData]") -> list[Declared]:
    """Seat the strategy as a backtest would and call on_start. Returns what it declared for its first instrument.

    Raises: StrategyError: it has no handler that could trade, or on_start refuses or fails.
    """
    from lockstep.engine.engine import Engine
    from lockstep.model.errors import LockstepError, StrategyError, hint_for
    from lockstep.portfolio.portfolio import Portfolio
    from lockstep.run.config import BacktestConfig
    from lockstep.run.strategy_file import line_in

    instruments = [entry.instrument for entry in data]
    indexes = list(range(len(instruments))) if loaded.cls.trades == "all" else [0]
    engine = Engine(Portfolio(instruments, BacktestConfig().cash, 1.0))
    engine.add_strategy(loaded.make(params), loaded.name, indexes)
    try:
        engine.start(data[0].info.first_ns)
    except Exception as e:
        line = line_in(e, str(loaded.path))
        if isinstance(e, LockstepError) and not line:
            raise
        kind = "" if isinstance(e, LockstepError) else f"{type(e).__name__}: "
        raise StrategyError(f"{loaded.file_name}{line}, on_start: {kind}{e}", hint=hint_for(e)) from e
    found = []
    for sub in engine.state.subscriptions:
        found += [
            Declared(sub.instrument.symbol, repr(entry), entry.warmup) for entries in sub.sets() for entry in entries
        ]
        if sub.window is not None:
            found.append(Declared(sub.instrument.symbol, f"window of {sub.window.capacity:,} bars", 0))
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _show(facts: dict[str, Any], strategy: str, data: str) -> None:
    from lockstep.app.cli.console import plain_table, say, screen, show

    console = screen()
    say(console, f"{facts['file']}: {facts['class']} is fit to run", "bold green")
    if facts["doc"]:
        say(console, facts["doc"].splitlines()[0], "dim")
    trades = "all instruments in one instance" if facts["trades"] == "all" else "one instrument per instance"
    say(console, f"\nTrades      {trades}")
    say(console, f"Handlers    {', '.join(facts['handlers'])}")
    if facts["parameters"]:
        say(console, "")
        table = plain_table("parameter", "type", "value", "default", "limits", "about", right=("value", "default"))
        for entry in facts["parameters"]:
            table.add_row(
                entry["name"], entry["type"], str(entry["value"]), str(entry["default"]), _limits(entry), entry["doc"]
            )
        show(console, table)
    if facts["indicators"]:
        say(console, "")
        table = plain_table("indicator", "bars to warm up", "of", right=("bars to warm up",))
        for entry in facts["indicators"]:
            table.add_row(entry["name"], f"{entry['bars']:,}", entry["symbol"])
        show(console, table)
    where = "RECORDING --kind depth" if "on_book" in facts["handlers"] else shlex.quote(data)
    say(console, f"\nNext        lockstep backtest {shlex.quote(strategy)} --data {where}", "cyan")


def _limits(entry: dict[str, Any]) -> str:
    low, high = entry["minimum"], entry["maximum"]
    if entry["choices"]:
        return ", ".join(str(choice) for choice in entry["choices"])
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} or more" if low is not None else f"up to {high:g}" if high is not None else ""
