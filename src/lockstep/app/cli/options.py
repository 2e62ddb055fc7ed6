"""Options that several commands share, and how a command's help is laid out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])
SHORT_HASH = 12
"""Digits of a run hash that are shown: enough for any number of runs, short enough to type."""


def examples(*lines: str) -> str:
    """The epilog of a command's help: lines that run as they stand (a test runs them)."""
    return "\b\nExamples:\n" + "\n".join(f"  $ {line}" for line in lines)


class Command(click.Command):
    """A command that knows `--traceback`, which the root reads wherever it stands."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--traceback"], is_flag=True, expose_value=False, help="Show where in the code an error arose."
            )
        )


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
logs_option = click.option(
    "--logs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write system.log, orders.log, trades.log and errors.log there, as JSON lines.",
)
log_level_option = click.option(
    "--log-level",
    default="info",
    show_default=True,
    metavar="LEVEL[,COMPONENT=LEVEL]",
    help="The lowest level that is written: debug, info, warning, error or critical; for one component: info,orders=debug.",
)
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors: results are in files alone.")
runs_option = click.option(
    "--runs",
    "root",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of runs.",
)
param_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the strategy; repeatable."
)
class_option = click.option(
    "--class", "class_name", metavar="NAME", help="Which strategy class, where the file has several."
)
config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The settings file; by default lockstep.toml, .yaml, .yml or .json here.",
)
set_option = click.option(
    "--set", "words", multiple=True, metavar="KEY=VALUE", help="Say a setting above all else; repeatable."
)
record_option = click.option(
    "--record", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep every decision in a journal there, for lockstep replay and why."
)  # fmt: skip
kind_option = click.option(
    "--kind",
    metavar="KIND",
    help="bars, quotes, trades, books, ticks (quotes and trades) or depth (books, with quotes and trades where there are any); by default bars.",
)


_RUN_OPTIONS = (
    click.option("--data", required=True, metavar="PATH|DATASET", help="CSV (also .gz), Parquet, a zip of Lean bars or ticks, a folder of these, catalog, or a name from `lockstep data list`."),
    click.option("--symbol", "symbols", multiple=True, metavar="S", help="Only this symbol; repeatable."),
    kind_option,
    param_option,
    click.option("--start", metavar="DATE", help="First bar: ISO date or time, UTC unless a zone is given."),
    click.option("--end", metavar="DATE", help="The bars before this: 2019-01-01 ends with the last bar of 2018."),
    click.option("--cash", default="100000", show_default=True, metavar="N", help="Opening balance."),
    click.option("--leverage", default="1", show_default=True, metavar="N", help="Exposure allowed per unit of equity."),
    click.option("--currency", metavar="CODE", help="What the account counts in; needed where instruments settle in several."),
    click.option("--rate", "rates", multiple=True, metavar="CODE=N", help="State a rate: the account's currency for 1 of another; repeatable. Others are prices of pairs among the data."),
    click.option("--funding", "funding", multiple=True, metavar="SYMBOL=FILE", help="Recorded funding rates of a perpetual contract; repeatable."),
    click.option("--borrow", default="0", show_default=True, metavar="N", help="What shares held short cost, a fraction of their value a year."),
    click.option("--fee", metavar="TEXT", help="Instead of the instrument's own: 0.1%, 0.02%/0.05% (maker/taker), 0.005/share, 1/order, joined by +."),
    click.option("--slippage-bps", default="1", show_default=True, metavar="N", help="Worse price of taking fills, in 0.01 %."),
    click.option("--volume-impact", default="0", show_default=True, metavar="N", help="Times the squared share of the bar's volume."),
    click.option("--latency", default="auto", show_default=True, metavar="PRESET|TIME", help="auto: remote for order books of crypto, else standard. none; colocated, 0.1 to 0.2 ms to the venue; standard, 5 to 7 ms; remote, 200 ms; recorded, what receiving the data took; recorded:FILE, measured delays (CSV or Parquet); a delay such as 200ms; or each way: feed=50ms,entry=20ms+lognormal:180ms:0.4,ack=20ms,fill=20ms+uniform:5ms."),
    click.option("--bar-path", default="pessimistic", show_default=True, metavar="RULE", help="Which extreme of a bar comes first: pessimistic or optimistic."),
    click.option("--limit-fill", default="through", show_default=True, metavar="RULE", help="A limit fills when the price trades through it, or at a touch."),
    click.option("--participation", default="0.1", show_default=True, metavar="N|none", help="Our part of a bar's volume."),
    click.option("--queue", default="auto", show_default=True, metavar="MODEL", help="How places in a book's queues move: pessimistic, power:3, log, rebuilt, exact; auto: exact where every order is told, else pessimistic."),
    click.option("--recovery", default="none", show_default=True, metavar="TIME|none", help="Half-life of what we took of a book's level, such as 500ms; none: until it is told again."),
    click.option("--silence", default="none", show_default=True, metavar="TIME|none", help="A book that has said nothing for so long fills nothing, such as 2s; none: it is believed until it says otherwise."),
    click.option("--book-start", default="full", show_default=True, type=click.Choice(["full", "empty"]), help="From when on a book is believed: its first full one; or at once, for recordings that tell none."),
    click.option("--max-order-qty", metavar="N", help="Refuse larger orders (base units)."),
    click.option("--max-position", metavar="N", help="Refuse orders that could lead to a larger position (base units)."),
    click.option("--risk", type=click.Path(path_type=Path), metavar="FILE", help="Risk limits: TOML, YAML or JSON with the keys of [risk]; the two options above win."),
    click.option("--seed", default=0, show_default=True, type=int, metavar="N", help="Of the latency's draws."),
    click.option("--timeframe", metavar="LENGTH", help="The bars the strategy gets, made of the data: 5m, 15m, 1h, 1d."),
    click.option("--sessions", metavar="PARTS", help="Parts of the New York day to trade in: pre, regular, after, joined by commas."),
    click.option("--extended-hours", is_flag=True, help="The same as --sessions pre,regular,after."),
    click.option("--missing-bars", default="skip", show_default=True, metavar="RULE", help="Where others have a bar and one has none: skip, or carry its last price."),
    click.option("--asset-class", metavar="NAME", help="equity, crypto, fx, future, option or index, where the data does not say."),
    click.option("--calendar", "--session", "calendar", metavar="NAME", help="24/7, weekdays, XNYS, XNYS-extended or FX."),
    class_option,
)  # fmt: skip


def run_options(function: Function) -> Function:
    """What a run is given on the command line: data, strategy, account, venue. `backtest.backtest_of` reads them."""
    for option in reversed(_RUN_OPTIONS):
        function = option(function)
    return function
