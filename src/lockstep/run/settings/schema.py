"""What a settings file may say: every section and key, its kind, its default and what it is for. Nothing else knows them.

The reference page, the JSON Schema, the check of a file and `lockstep config show` are all made from these tables.
"""

from typing import Any

import msgspec

from lockstep.model.sessions import DAY_PARTS
from lockstep.risk.limits import TRIGGERS
from lockstep.run.config import MISSING_BARS
from lockstep.run.settings.kinds import (
    ASSET_CLASS,
    CALENDAR,
    FEES,
    FUNDING,
    MARGINS,
    RATES,
    TIMEFRAME,
    Delays,
    Kind,
    Moment,
    Names,
    Number,
    Switch,
    Text,
    Values,
    Whole,
    Word,
)
from lockstep.run.settings.presets import DEFAULT_PRESET, PRESETS
from lockstep.run.settings.risk import (
    COUNT_MAX,
    RISK_PRESETS,
    SELF_TRADES,
    STRATEGY_TABLES,
    SYMBOL_KEYS,
    SYMBOL_TABLES,
    Part,
)
from lockstep.sim.models import BOOK_STARTS, LIMIT_FILLS, PATHS

SETTINGS_SCHEMA_VERSION = 1

MODES = ("backtest",)
LATER_MODES = ("paper", "live")
"""The same file will run these; this version answers that it does not."""
DATA_KINDS = ("bars", "quotes", "trades", "ticks", "books", "depth")
"""Those of the catalog, which is too heavy to load for a list of words; a test compares."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. default: as a file would write it; None where there is none. doc: one sentence."""

    name: str
    kind: Kind
    default: Any = None
    required: bool = False
    doc: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One table of the file. many: "one" table, "any" (a table or several), "list" (always several)."""

    name: str
    doc: str
    keys: tuple[Key, ...]
    many: str = "one"

    @property
    def by_name(self) -> dict[str, Key]:
        """Its keys."""
        return {key.name: key for key in self.keys}


ENGINE = Section(
    name="engine",
    doc="The account, and which part of the data the run covers.",
    keys=(
        Key(name="cash", kind=Number(low=0, above=True), default=100_000, doc="Opening balance."),
        Key(
            name="leverage",
            kind=Number(low=0, high=1000, above=True),
            default=1,
            doc="Exposure allowed per unit of equity.",
        ),
        Key(
            name="currency",
            kind=Text("currency"),
            doc="What the account counts in; needed where instruments settle in several.",
        ),
        Key(
            name="rates",
            kind=RATES,
            doc="Stated rates: the account's currency for 1 of each; others are prices of pairs among the data.",
        ),
        Key(
            name="margins",
            kind=MARGINS,
            doc="What opening and keeping an exposure ties up; by default 1/leverage, and half of it.",
        ),
        Key(name="funding", kind=FUNDING, doc="Recorded funding rates of perpetual contracts, relative to this file."),
        Key(
            name="borrow",
            kind=Number(low=0, high=10),
            default=0,
            doc="What shares held short cost, a fraction of their value a year, charged each midnight UTC.",
        ),
        Key(name="start", kind=Moment(), doc="First bar; by default the first of the data."),
        Key(name="end", kind=Moment(), doc="The bars before this: 2019-01-01 ends with the last bar of 2018."),
        Key(
            name="sessions",
            kind=Names(words="list of parts of the New York day", choices=tuple(DAY_PARTS)),
            doc="The parts to trade in: pre, regular, after; by default the hours of the calendar.",
        ),
        Key(
            name="missing_bars",
            kind=Word(MISSING_BARS),
            default="skip",
            doc="Where others have a bar and one has none: no event, or its last price carried.",
        ),
        Key(name="seed", kind=Whole(low=0, high=2**63 - 1), default=0, doc="Of the latency's draws."),
    ),
)
DATA = Section(
    name="data",
    doc="Recorded prices. Several sources: write the table several times, as `[[data]]`.",
    many="any",
    keys=(
        Key(
            name="source",
            kind=Text("path or data set"),
            required=True,
            doc="A file or folder, relative to this file, a name from `lockstep data list`, or catalog: what was imported.",
        ),
        Key(
            name="kind",
            kind=Word(DATA_KINDS),
            doc="Which history, where there are several; ticks are quotes and trades, depth is books with both. By default bars, or the one there is.",
        ),
        Key(
            name="symbols",
            kind=Names(words="list of symbols", upper=True),
            doc="Only these; by default those that the strategies name, or else all.",
        ),
        Key(name="asset_class", kind=ASSET_CLASS, doc="Where the data does not say."),
        Key(name="calendar", kind=CALENDAR, doc="When the venue is open, where the data does not say."),
        Key(name="currency", kind=Text("currency"), doc="That prices are in, where the data does not say."),
    ),
)
VENUE = Section(
    name="venue",
    doc="The simulated venue: what trading costs, how long messages take, how orders fill.",
    keys=(
        Key(
            name="preset",
            kind=Word(tuple(PRESETS)),
            default=DEFAULT_PRESET,
            doc="A set of the keys below; a key of its own wins.",
        ),
        Key(
            name="latency",
            kind=Delays(),
            default="auto",
            doc="Delays of data, orders and answers; auto: remote for order books of crypto, else standard. A table changes parts of its preset, by default standard.",
        ),
        Key(name="fees", kind=FEES, doc="Instead of the instrument's own."),
        Key(
            name="slippage_bps",
            kind=Number(low=0, high=10_000, below=True),
            default=1,
            doc="Worse price of taking fills, in 0.01 %.",
        ),
        Key(
            name="volume_impact",
            kind=Number(low=0, high=1, below=True),
            default=0,
            doc="Times the squared share of the bar's volume.",
        ),
        Key(name="bar_path", kind=Word(PATHS), default="pessimistic", doc="Which extreme of a bar comes first."),
        Key(
            name="limit_fill",
            kind=Word(LIMIT_FILLS),
            default="through",
            doc="A limit fills when the price trades through it, or at a touch.",
        ),
        Key(
            name="participation",
            kind=Number(low=0, high=1, above=True, none=True),
            default="0.1",
            doc="Our part of a bar's volume.",
        ),
        Key(
            name="queue",
            kind=Text("queue model"),
            default="auto",
            doc="How places in a book's queues move: auto, pessimistic, power:N, log, rebuilt, exact.",
        ),
        Key(
            name="recovery",
            kind=Text("time"),
            default="none",
            doc="Half-life of what we took of a book's level; none: until it is told again.",
        ),
        Key(
            name="silence",
            kind=Text("time"),
            default="none",
            doc="A book that has said nothing for so long fills nothing; none: it is believed until it says otherwise.",
        ),
        Key(
            name="book_start",
            kind=Word(BOOK_STARTS),
            default="full",
            doc="From when on a book is believed: its first full one; empty: at once, for recordings that tell none.",
        ),
    ),
)
RISK = Section(
    name="risk",
    doc="What the risk gate refuses. The first keys are for each instrument, over all strategies.",
    keys=(
        *(Key(name=name, kind=kind, doc=doc) for name, (_, kind, doc) in SYMBOL_KEYS.items()),
        Key(
            name="preset",
            kind=Word(tuple(RISK_PRESETS)),
            default="backtest",
            doc="What holds where a key is left out: standard has a 5 % band, 10 orders a second, no self-trade, prices of the last minute.",
        ),
        Key(
            name="buying_power",
            kind=Switch(),
            default=True,
            doc="Orders that could bring exposure above equity times leverage.",
        ),
        Key(name="self_trade", kind=Word(SELF_TRADES), doc="Orders that would meet a resting one of the account."),
        Key(name="session_hours", kind=Switch(), default=False, doc="Orders while the venue is closed."),
        Key(name="max_positions", kind=Whole(low=0, high=COUNT_MAX), doc="Orders that would open one more."),
        Key(name="max_gross_exposure", kind=Number(low=0), doc="Orders that could bring the sum of all positions above this (currency)."),
        Key(name="max_net_exposure", kind=Number(low=0), doc="The same of longs less shorts (currency)."),
        Key(name="max_leverage", kind=Number(low=0), doc="The same of the sum, in parts of equity."),
        Key(name="max_account_orders", kind=Whole(low=0, high=COUNT_MAX), doc="More orders at work in the account."),
        Key(name="account_orders_per_second", kind=Whole(low=0, high=COUNT_MAX), doc="More orders in any second, over everything."),
        Key(name="cancels_per_second", kind=Whole(low=0, high=COUNT_MAX), doc="More cancels in any second; none while halted."),
        Key(name="max_daily_loss", kind=Part(), doc="Opening orders, once so much of the equity of the UTC day's start is lost."),
        Key(name="max_drawdown", kind=Part(), doc="Opening orders, once so much of the highest equity is lost."),
        Key(name="max_refusals", kind=Whole(low=0, high=COUNT_MAX), doc="After more refusals the kill switch goes on."),
        Key(name="max_account_risk", kind=Part(), doc="size_for_risk gives no quantity that loses more of equity at its stop."),
        Key(name="volatility_lookback", kind=Whole(low=2, high=COUNT_MAX), doc="Bars that size_for_volatility looks at; 20 unless said."),
        Key(
            name="halt_on",
            kind=Names(words="list of triggers", choices=TRIGGERS),
            doc="What puts the kill switch on by itself: daily_loss, drawdown, position; by default all.",
        ),
        Key(name="symbols", kind=SYMBOL_TABLES, doc="Limits of one symbol, instead of those of every symbol."),
        Key(name="strategies", kind=STRATEGY_TABLES, doc="Limits of one strategy, beside those of its symbols."),
    ),
)  # fmt: skip
OUTPUT = Section(
    name="output",
    doc="Where results go. No key here changes a result, or the run hash.",
    keys=(
        Key(
            name="runs",
            kind=Text("folder"),
            doc="The folder of runs, relative to this file; by default `runs` where you are.",
        ),
        Key(name="report", kind=Text("file"), doc="Write the HTML report there, relative to this file."),
        Key(
            name="sensitivity",
            kind=Switch(),
            default=True,
            doc="Run again under other costs, latencies and bar path, for the report.",
        ),
    ),
)
LOGS = Section(
    name="logs",
    doc="system.log, orders.log, trades.log and errors.log, as JSON lines. No key here changes a result, or the run hash.",
    keys=(
        Key(name="folder", kind=Text("folder"), doc="Where they go, relative to this file; by default none is written."),
        Key(
            name="level",
            kind=Text("level, or levels by component"),
            default="info",
            doc="The lowest level that is written: debug, info, warning, error, critical; `info,orders=debug` for one component.",
        ),
        Key(name="rotate_mb", kind=Whole(low=1, high=100_000), default=64, doc="A file is rotated at so many MiB."),
        Key(name="keep", kind=Whole(low=1, high=1000), default=8, doc="Files kept of each."),
        Key(name="console", kind=Switch(), default=True, doc="false: print nothing but errors; results are in files alone."),
    ),
)  # fmt: skip
STRATEGIES = Section(
    name="strategies",
    doc="One table for each strategy; they share the account.",
    many="list",
    keys=(
        Key(name="script", kind=Text("file"), required=True, doc="The strategy's Python file, relative to this file."),
        Key(name="class", kind=Text("class name"), doc="Which strategy, where the file has several."),
        Key(name="name", kind=Text("name"), doc="How results call it; by default its class."),
        Key(name="symbols", kind=Names(words="list of symbols", upper=True), doc="What it trades; by default every symbol of the run."),
        Key(name="timeframe", kind=TIMEFRAME, doc="The bars it gets, made from finer data; by default the data's own."),
        Key(name="parameters", kind=Values(), doc="Its parameters by name; each must be one that it has."),
    ),
)  # fmt: skip
SECTIONS = {section.name: section for section in (ENGINE, DATA, VENUE, RISK, OUTPUT, LOGS, STRATEGIES)}
MODE = Key(name="mode", kind=Word(MODES), default="backtest", doc="What to do with it all; paper and live are for a later version.")  # fmt: skip


def json_schema() -> dict[str, Any]:
    """The whole as JSON Schema (draft 2020-12), for editors."""
    properties: dict[str, Any] = {"mode": _property(MODE)}
    for section in SECTIONS.values():
        table = {
            "type": "object",
            "description": section.doc,
            "properties": {key.name: _property(key) for key in section.keys},
            "required": [key.name for key in section.keys if key.required],
            "additionalProperties": False,
        }
        listed = {"type": "array", "items": table, "minItems": 1}
        properties[section.name] = {"one": table, "list": listed}.get(section.many, {"anyOf": [table, listed]})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lockstep settings",
        "type": "object",
        "properties": properties,
        "required": ["data", "strategies"],
        "additionalProperties": False,
    }


def _property(key: Key) -> dict[str, Any]:
    default = {} if key.default is None else {"default": key.default}
    return key.kind.json_schema() | {"description": key.doc} | default


def reference_rows() -> list[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Each section's heading, sentence, and rows (key, what it takes, default, what it is for)."""

    def row(key: Key) -> tuple[str, str, str, str]:
        default = (
            "required" if key.required else "" if key.default is None else str(key.default).replace("True", "true")
        )
        return key.name, key.kind.words, default, key.doc

    found = [("", "At the top of the file.", [row(MODE)])]
    for section in SECTIONS.values():
        heading = f"[[{section.name}]]" if section.many == "list" else f"[{section.name}]"
        found.append((heading, section.doc, [row(key) for key in section.keys]))
    return found
