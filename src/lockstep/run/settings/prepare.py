"""Settings made into a run: strategies loaded and planned, data read, the configuration built."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lockstep.model.enums import AssetClass
from lockstep.model.errors import LockstepError, StrategyError, UsageError, did_you_mean
from lockstep.run.config import BacktestConfig
from lockstep.run.data_source import DataSource
from lockstep.run.latency import with_file
from lockstep.run.plan import StrategyPlan
from lockstep.run.settings.kinds import Overridden
from lockstep.run.settings.risk import limits_from
from lockstep.run.settings.settings import Problem, Settings, SettingsError
from lockstep.run.strategy_file import StrategyFile, load_strategy
from lockstep.sim.models import BarFills, Slippage, book_fills_from_text
from lockstep.store.catalog.funding import FundingRates, read_funding
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.places import SUFFIXES, locate
from lockstep.store.catalog.readers import vault_at
from lockstep.strategy.params import check_params

Reading = Callable[[str], None]
"""Told which source is being read."""


def config_from(settings: Settings) -> BacktestConfig:
    """The engine, venue and risk sections as a configuration. Raises: SettingsError: an empty range."""
    engine, venue, risk = (settings.table(name) for name in ("engine", "venue", "risk"))
    try:
        return BacktestConfig(
            cash=engine["cash"],
            leverage=engine["leverage"],
            currency=engine["currency"].upper() if engine["currency"] else None,
            rates={name.upper(): rate for name, rate in (engine["rates"] or {}).items()},
            margins=engine["margins"] or {},
            borrow=engine["borrow"],
            fees=venue["fees"],
            latency=with_file(venue["latency"], settings.resolve),
            slippage=Slippage(bps=venue["slippage_bps"], volume_impact=venue["volume_impact"]),
            fills=BarFills(
                path=venue["bar_path"], limit_fill=venue["limit_fill"], participation=venue["participation"]
            ),
            books=book_fills_from_text(venue["queue"], venue["recovery"], venue["silence"], venue["book_start"]),
            limits=limits_from(risk),
            sessions=engine["sessions"] or (),
            missing_bars=engine["missing_bars"],
            seed=engine["seed"],
            start_ns=engine["start"],
            end_ns=engine["end"],
        )
    except LockstepError as e:
        raise SettingsError([Problem(str(settings.path), str(e), e.hint)]) from None


def funding_from(settings: Settings) -> dict[str, FundingRates]:
    """Read the files of funding rates. Raises: SettingsError: one that is not there. DataError: one that holds none."""
    found = {}
    for symbol, name in (settings.table("engine")["funding"] or {}).items():
        path = settings.resolve(name)
        if not path.is_file():
            raise SettingsError(
                [Problem(settings.place("engine", "funding", symbol), f"no file of funding rates {str(path)!r}")]
            )
        found[symbol] = read_funding(path)
    return found


def plans_from(settings: Settings) -> list[StrategyPlan]:
    """Load each script and check its parameters.

    Raises: SettingsError: scripts that are not there, and parameters that a strategy does not have or that do not fit.
            StrategyError: a script that does not load.
    """
    plans: list[StrategyPlan] = []
    problems: list[Problem] = []
    for index, table in enumerate(settings.tables["strategies"]):
        path = settings.resolve(table["script"])
        if not path.is_file():
            near = [entry.name for entry in path.parent.glob("*.py")]
            hint = did_you_mean(path.name, near) if near else "a script is looked for from the settings file's folder"
            problems.append(
                Problem(settings.place("strategies", index, "script"), f"no strategy file {str(path)!r}", hint)
            )
            continue
        strategy = load_strategy(path, table["class"])
        given = table["parameters"] or {}
        wrong = list(_wrong_parameters(settings, index, strategy, given))
        problems += wrong
        if not wrong:
            symbols, timeframe = table["symbols"], table["timeframe"]
            plans.append(StrategyPlan(strategy, given, symbols=symbols, timeframe=timeframe, name=table["name"]))
    if problems:
        raise SettingsError(problems)
    return plans


def _wrong_parameters(
    settings: Settings, index: int, strategy: StrategyFile, given: Mapping[str, Any]
) -> Iterator[Problem]:
    for name, value in given.items():
        try:
            check_params(strategy.name, strategy.cls.parameters, {name: value})
        except StrategyError as e:
            raw = settings.document.tree["strategies"][index]["parameters"][name]
            place = settings.place("strategies", index, "parameters", name)
            yield Problem(raw.origin if isinstance(raw, Overridden) else place, str(e), e.hint)


def check_sources(settings: Settings) -> None:
    """See that every data source is there, without reading it. Raises: SettingsError: those that are not."""
    problems = []
    for index, table in enumerate(settings.tables["data"]):
        try:
            where = _source(settings, table["source"])
            if vault_at(where) is None and not locate(where).exists():
                raise UsageError(f"no such file or folder: {where}")
        except LockstepError as e:
            problems.append(Problem(_place_of_source(settings, index), str(e), e.hint))
    if problems:
        raise SettingsError(problems)


def _place_of_source(settings: Settings, index: int) -> str:
    several = isinstance(settings.document.tree["data"], list)
    return settings.place("data", index, "source") if several else settings.place("data", "source")


def _source(settings: Settings, text: str) -> str:
    """A path from the file's folder where there is one or where the text can only be a path, else a data set's name."""
    path = settings.resolve(text)
    return str(path) if path.exists() or path.name != text or text.endswith(SUFFIXES) else text


def sources_from(settings: Settings) -> list[DataSource]:
    """The data sources, each with the symbols it names, else those the strategies trade, else all."""
    tables = settings.tables["data"]
    traded = _traded(settings)
    return [
        DataSource(
            where=_source(settings, table["source"]),
            # With several sources, which of them has a symbol is known only once they are read.
            symbols=_names(table["symbols"] or (traded if len(tables) == 1 else None)),
            kind=table["kind"],
            asset_class=table["asset_class"],
            calendar=table["calendar"],
            currency=table["currency"],
        )
        for table in tables
    ]


def read_data(settings: Settings, reading: Reading | None = None) -> list[MarketData]:
    """Read each source once.

    Raises: DataError: data that breaks a rule. UsageError: no such source or symbol, or a source that no strategy uses.
    """
    traded = _traded(settings)
    currency = settings.table("engine")["currency"]

    def is_pair(entry: MarketData) -> bool:
        """Whether it tells what another currency is worth in the account's."""
        one = entry.instrument
        return (
            bool(currency)
            and currency.upper() in (one.base_currency, one.quote_currency)
            and (one.asset_class in (AssetClass.FX, AssetClass.CRYPTO))
        )

    found: list[MarketData] = []
    for index, (table, source) in enumerate(zip(settings.tables["data"], sources_from(settings), strict=True)):
        if reading is not None:
            reading(table["source"])
        entries = source.read(settings.table("venue")["fees"])
        used = [entry for entry in entries if traded is None or entry.info.symbol.upper() in traded or is_pair(entry)]
        if not used:
            known = ", ".join(entry.info.symbol for entry in entries)
            raise UsageError(
                f"{_place_of_source(settings, index)}: no strategy uses data of {table['source']} ({known})",
                hint="name its symbols in a strategy, or leave it out",
            )
        found += used
    return found


def chosen_from(settings: Settings) -> list[str]:
    """The symbols that the data sources name. Those of the strategies stand in their plans."""
    return [symbol for table in settings.tables["data"] for symbol in table["symbols"] or ()]


def _traded(settings: Settings) -> list[str] | None:
    """The symbols the strategies name; None where one of them takes all."""
    wanted = [table["symbols"] for table in settings.tables["strategies"]]
    return None if None in wanted else list(dict.fromkeys(symbol for names in wanted for symbol in names))


def _names(symbols: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if symbols is None else tuple(symbols)
