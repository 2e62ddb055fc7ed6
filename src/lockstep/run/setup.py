"""Before a run: strategies take their seats, the venue its markets, and every history becomes a stream of events."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lockstep.book.l2 import L2Book
from lockstep.book.l3 import L3Book
from lockstep.engine.engine import Engine
from lockstep.model.errors import DataError, StrategyError, UsageError
from lockstep.model.numbers import NANOS_PER_DAY
from lockstep.model.record import Records
from lockstep.model.valuation import Valuation
from lockstep.risk.limits import RiskLimits
from lockstep.run.charges import charge_streams
from lockstep.run.config import BacktestConfig
from lockstep.run.feeds import InstrumentFeeds, hears, refuse_unheard
from lockstep.run.history import NO_HISTORY, known_by, reach
from lockstep.run.hours import OpenHours
from lockstep.run.loop import Loop
from lockstep.run.plan import StrategyPlan
from lockstep.run.source import MergedSource, Stream
from lockstep.sim.drawn import FeedDraws, lognormal_ns
from lockstep.sim.liquidity import NEVER, Liquidity
from lockstep.sim.market import Market
from lockstep.sim.models import BookFills, Latency
from lockstep.sim.queue import QueueModel
from lockstep.sim.venue import Venue
from lockstep.store.catalog.funding import FundingRates
from lockstep.strategy.base import MARKET_HANDLERS, Strategy, history_of

Progress = Callable[[int, int], None]
"""(events done, events in all)."""


NO_FUNDING: Mapping[int, FundingRates] = {}


class Desk(NamedTuple):
    """Who sits where.

    series: for each instrument the lengths of the bars that are fed, ns: the first its own (0 where it has none), then
    those made for a strategy. plans: of each seat.
    """

    series: list[list[int]]
    plans: list[StrategyPlan]


def seat_all(
    engine: Engine, plans: Sequence[StrategyPlan], feeds: Sequence[InstrumentFeeds], limits: RiskLimits
) -> Desk:
    """Seat every plan's strategy: an instance an instrument, or one for all of them.

    Raises: UsageError, StrategyError: symbols the run does not have, bars that cannot be made, a strategy that would
            never be called.
    """
    desk = Desk([[entry.bar_ns] for entry in feeds], [])
    symbols = [entry.instrument.symbol for entry in feeds]
    limits.check_names([symbol.upper() for symbol in symbols], [plan.name for plan in plans])
    taken: set[str] = set()
    for plan in plans:
        picked = plan.picks(symbols)
        cls = plan.strategy.cls
        whole = cls.trades == "all"
        handlers = {name for name in MARKET_HANDLERS if getattr(cls, name) is not getattr(Strategy, name)}
        for group in [picked] if whole else [[index] for index in picked]:
            name = plan.name if whole or len(picked) == 1 else f"{plan.name}:{symbols[group[0]]}"
            name = _free(name, taken)
            which = {}
            lengths = [feeds[index].series_for(plan.timeframe_ns) for index in group]
            if not any(hears(feeds[index], length, handlers) for index, length in zip(group, lengths, strict=True)):
                refuse_unheard(plan.name, feeds[group[0]], handlers)  # one it hears is enough: it may trade the others
            for index, length in zip(group, lengths, strict=True):
                if cls.cooldown_bars and not length:
                    raise StrategyError(
                        f"{plan.name}.cooldown_bars counts bars, and {symbols[index]} gives it none",
                        hint='say the length of its bars, such as timeframe "1m"',
                    )
                which[index] = _series(desk.series[index], length)
            engine.add_strategy(plan.strategy.make(plan.params), name, group, limits, which)
            desk.plans.append(plan)
    if limits.session_hours:
        for sub in engine.state.subscriptions:
            sub.gate.keep_hours(_hours_of(feeds[sub.instrument_index]))
    return desk


def _hours_of(feeds: InstrumentFeeds) -> list[tuple[int, int]]:
    """When an instrument's venue is open, over its data and the week after."""
    info = feeds.main.info
    return feeds.instrument.session.bounds(info.first_ns, info.last_ns + 7 * NANOS_PER_DAY)


def _free(name: str, taken: set[str]) -> str:
    count, free = 2, name
    while free in taken:  # the same class twice, say with other parameters
        free, count = f"{name}#{count}", count + 1
    taken.add(free)
    return free


def _series(lengths: list[int], length: int) -> int:
    if length not in lengths:
        lengths.append(length)
    return lengths.index(length)


class _FeedDelay:
    """How late the data of a run are known, where they do not say so themselves: a fixed part, and what is drawn besides."""

    def __init__(self, config: BacktestConfig) -> None:
        latency = config.latency
        self.fixed_ns = latency.feed_ns
        self.draws = FeedDraws(latency.feed_jitter_ns, latency.feed_tail, config.seed) if latency.draws_feed else None

    @property
    def is_late(self) -> bool:
        return self.fixed_ns > 0 or self.draws is not None


def longest_feed_ns(latency: Latency) -> int:
    """No message takes longer to be known, where the data do not say how long it took."""
    tail = latency.feed_tail
    drawn = 0 if tail is None else lognormal_ns(2**64 - 1, tail.median_ns, float(tail.sigma))
    return latency.feed_ns + latency.feed_jitter_ns + drawn


def sources_for(
    feeds: Sequence[InstrumentFeeds],
    series: Sequence[Sequence[int]],
    config: BacktestConfig,
    progress: Progress | None,
    funding: Mapping[int, FundingRates] = NO_FUNDING,
) -> tuple[MergedSource, MergedSource | None]:
    """What the engine learns, and what the venue is shown ahead of it; None where they are one.

    Raises: DataError: nothing lies in the range, or within the hours.
    """
    start, end = config.start_ns, config.end_ns
    if not any(entry.count(start, end) for entry in feeds):
        feeds[0].main.chunks(start, end)  # says what range there is
    for entry in feeds:
        entry.hours = OpenHours(entry.instrument.session)
    feed = _FeedDelay(config)
    ahead = None
    if any(entry.has_ticks and (feed.is_late or entry.learns_late) for entry in feeds):
        ticks = [
            stream for index, entry in enumerate(feeds) for stream in _ticks(entry, index, start, end, by_event=True)
        ]
        ahead = MergedSource(ticks)
    tell, total = progress, sum(entry.count(start, end) for entry in feeds)
    if tell is not None:
        tell(0, total)
    streams = _streams(feeds, series, start, end, feed, ticks_to_venue=ahead is None, in_run=True)
    streams += charge_streams(feeds, funding, config.borrow, start, end)
    source = MergedSource(streams, None if tell is None else lambda rows: tell(min(rows, total), total))
    if source.head is None:
        refuse_closed(feeds)
    return source, ahead


def refuse_closed(feeds: Sequence[InstrumentFeeds]) -> None:
    """Refuse a run whose every market event lies outside its hours; corporate actions pass these, and are no market.

    Raises: DataError.
    """
    left_out = sum(entry.hours.left_out for entry in feeds)
    if left_out and not sum(entry.hours.kept for entry in feeds):
        raise DataError(
            f"nothing happens in the hours of session {feeds[0].instrument.session.name}: {left_out} events lie outside",
            hint="choose other hours, or data that covers these (daily bars cover the regular day)",
        )


def refuse_unfed(engine: Engine, desk: Desk, feeds: Sequence[InstrumentFeeds]) -> None:
    """After on_start: refuse indicators and windows that the data never update, for which a strategy may wait for ever.

    Raises: StrategyError.
    """
    for sub in engine.state.subscriptions:
        entry = feeds[sub.instrument_index]
        has_bars = desk.series[sub.instrument_index][sub.series] > 0
        bars = 'say the length of its bars, such as timeframe "1m", or what the indicator takes: on="quotes"'
        for what, declared, given, hint in (
            ("indicators on bars", sub.indicators, has_bars, bars),
            ("a window of bars", sub.window, has_bars, bars),
            ("indicators on quotes", sub.quote_indicators, "quote" in entry.histories, bars),
            ("indicators on trades", sub.trade_indicators, "trade" in entry.histories, bars),
            ("features of the book", sub.features, "book" in entry.histories, "give data with its book: --kind depth"),
        ):
            if declared is not None and not given:
                raise StrategyError(
                    f"{sub.strategy} declares {what}, and the data of {entry.instrument.symbol} are {entry.kinds_text}",
                    hint=hint,
                )


def _streams(
    feeds: Sequence[InstrumentFeeds],
    series: Sequence[Sequence[int]],
    start: int | None,
    end: int | None,
    feed: _FeedDelay | None = None,
    *,
    ticks_to_venue: bool = False,
    in_run: bool = False,
) -> list[Stream]:
    """What data there are, instrument by instrument; then the bars made of them, so that these come second at one clock."""
    streams = []
    delay, draws = (0, None) if feed is None else (feed.fixed_ns, feed.draws)
    for index, entry in enumerate(feeds):
        hours = entry.hours if in_run else None
        if entry.bar_ns:
            bars = entry.chunks("bar", start, end, hours)
            if not in_run:
                bars = _known(bars, end)
            to_venue = not entry.has_ticks
            streams.append(Stream(entry.instrument.id, index, bars, delay, to_venue=to_venue, draws=draws))
        streams += _ticks(entry, index, start, end, feed, hours, to_venue=ticks_to_venue)
    for index, entry in enumerate(feeds):
        for number, length in enumerate(series[index]):
            if number:
                made = entry.bars(length, start, end, series=number)
                if not in_run:
                    made = _known(made, end)
                late = 0 if entry.learns_late else delay
                if draws is not None and not entry.learns_late:
                    raise UsageError(
                        f"bars made of the data of {entry.instrument.symbol}, and a feed latency that is drawn for each message",
                        hint="a bar is known when its last message is: give the feed a fixed latency, as in feed=50ms",
                    )
                streams.append(Stream(entry.instrument.id, index, made, late, to_venue=False))
    return streams


def _ticks(
    feeds: InstrumentFeeds,
    index: int,
    start: int | None,
    end: int | None,
    feed: _FeedDelay | None = None,
    hours: OpenHours | None = None,
    *,
    to_venue: bool = True,
    by_event: bool = False,
) -> list[Stream]:
    found = []
    for kind in ("book", "trade", "quote"):
        if kind in feeds.histories:
            # Where it was recorded, what was recorded stands.
            late = None if feeds.histories[kind].info.clocks_differ else feed
            chunks = feeds.chunks(kind, start, end, hours)
            delay, draws = (0, None) if late is None else (late.fixed_ns, late.draws)
            found.append(
                Stream(feeds.instrument.id, index, chunks, delay, to_venue=to_venue, by_event=by_event, draws=draws)
            )
    return found


def _known(bars: Iterator[Records], until_ns: int | None) -> Iterator[Records]:
    """Of bars that begin before the start of a run those that are over by then."""
    for records in bars:
        yield records if until_ns is None else known_by(records, until_ns)


def show_history(loop: Loop, desk: Desk, feeds: Sequence[InstrumentFeeds], start_ns: int) -> list[str]:
    """Show each strategy the history it asks for; returns what was missing of it, in words."""
    missing = []
    earliest = NO_HISTORY
    for sub in loop.engine.state.subscriptions:
        plan = desk.plans[sub.seat_index]
        index = sub.instrument_index
        asked = history_of(plan.strategy.cls)
        start, words = reach(sub.strategy, asked, feeds[index], desk.series[index][sub.series], start_ns)
        sub.history_from = start
        earliest = min(earliest, start)
        if words:
            missing.append(words)
    if earliest < start_ns:
        loop.show_history(MergedSource(_streams(feeds, desk.series, earliest, start_ns)))
    return missing


def book_of(feeds: InstrumentFeeds, fills: BookFills) -> L2Book | L3Book:
    """An empty book of the kind its data tell. Orders from before the recording began are unknown in it, and only counted."""
    book: L2Book | L3Book
    if feeds.tells_orders:
        book = L3Book(feeds.instrument, silence_max_ns=fills.silence_max_ns, unknown_ids="count")
    else:
        book = L2Book(feeds.instrument, silence_max_ns=fills.silence_max_ns)
    if fills.start == "empty":
        book.trust_empty()
    return book


def liquidity_for(feeds: InstrumentFeeds, config: BacktestConfig) -> Liquidity:
    """The book at the venue. Raises: UsageError: a queue model that its data do not feed."""
    book = book_of(feeds, config.books)
    kind = config.books.queue
    if kind == "auto":
        kind = "exact" if isinstance(book, L3Book) else "pessimistic"
    if kind == "exact" and not isinstance(book, L3Book):
        raise UsageError(
            f"the queue model exact follows single orders, and the book of {feeds.instrument.symbol} is told by levels",
            hint="use pessimistic, power, log or rebuilt",
        )
    if kind == "rebuilt" and isinstance(book, L3Book):
        raise UsageError(
            f"the queue model rebuilt makes up orders behind levels, and {feeds.instrument.symbol} is told order by order",
            hint="use exact",
        )
    instrument = feeds.instrument
    model = QueueModel(kind, float(config.books.power), instrument.lot_size, 10.0**instrument.qty_decimals)
    # Who says for how long a silent book counts says it of one whose data have ended, too.
    ends = NEVER if config.books.silence_max_ns else feeds.ticks_end_ns
    return Liquidity(book, model, config.books.recovery_ns, ends, feeds.histories["book"].info.levels)


def keep_books(engine: Engine, feeds: Sequence[InstrumentFeeds], config: BacktestConfig) -> None:
    """Give the engine a book of its own of each instrument that has one."""
    for index, entry in enumerate(feeds):
        if "book" in entry.histories:
            view = engine.books.keep(index, book_of(entry, config.books), lambda: engine.state.clock)
            for sub in engine.state.subscriptions:
                if sub.instrument_index == index:
                    sub.book = view


def venue_for(feeds: Sequence[InstrumentFeeds], valuations: Sequence[Valuation], config: BacktestConfig) -> Venue:
    """The simulated venue, with a market for each instrument."""
    first = min(entry.first_ns for entry in feeds)
    last = max(entry.last_ns for entry in feeds)
    markets = []
    known_hours: dict[str, list[tuple[int, int]]] = {}
    for index, (entry, valuation) in enumerate(zip(feeds, valuations, strict=True)):
        session = entry.instrument.session
        hours: list[tuple[int, int]] = []
        if not session.always_open:
            if session.name not in known_hours:
                known_hours[session.name] = session.bounds(first, last + 7 * NANOS_PER_DAY)
            hours = known_hours[session.name]
        # A bar of about a session or longer ends when the venue closes: its orders wait for the next open.
        queue = entry.bar_ns >= NANOS_PER_DAY // 4 and not entry.has_ticks
        ticks = {"quotes": "quote" in entry.histories, "trades": "trade" in entry.histories}
        depth = liquidity_for(entry, config) if "book" in entry.histories else None
        markets.append(Market(index, valuation, config.fills, hours, queue, depth=depth, **ticks))
    slippage = config.slippage.scaled(config.cost_multiple)
    return Venue(markets, config.latency, slippage, config.fills, config.seed)
