"""The logs of a run as named columns: what the tables of a run folder are written from."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockstep.analytics.fills import Fills, InstrumentUnits, Restatement
from lockstep.analytics.round_trips import flat_to_flat, position_groups
from lockstep.analytics.trades import Trades
from lockstep.engine.records import (
    DISPLAY,
    KILL,
    LIMITS,
    LINK,
    RECORD_NAMES,
    REFUSAL,
    RESET,
    SPLIT,
    WARNING,
    WHO,
    field,
)
from lockstep.model.enums import Liquidity, OrderEventKind, OrderFlag, OrderState, OrderType, Reason, TimeInForce, Who
from lockstep.model.traffic import HIDDEN
from lockstep.run.backtest import Outcome
from lockstep.sim.market import Market
from lockstep.sim.markouts import HORIZONS
from lockstep.sim.placements import NOWHERE, WORDS

Columns = dict[str, Any]

_ORDER_RECORDS = len(OrderEventKind)
_SUBMITTED = (
    int(OrderEventKind.SUBMIT),
    int(OrderEventKind.DENY),
    int(OrderEventKind.RESTATE),
    int(OrderEventKind.REPLACE),
)
_FILLED = tuple(int(OrderEventKind[name]) for name in ("PARTIAL", "FILL", "CORRECT", "BUST"))

_FRESH = (int(OrderEventKind.SUBMIT), int(OrderEventKind.DENY))
_EXECUTED = (int(OrderEventKind.PARTIAL), int(OrderEventKind.FILL))
_BY_KIND = np.array([int(WHO[kind]) for kind in range(_ORDER_RECORDS)])


def _names(enum: Any, size: int) -> NDArray[Any]:
    table = np.full(size, "", dtype=object)
    for entry in enum:
        table[int(entry)] = entry.name.lower()
    return table


_TYPES = _names(OrderType, 8)
_FORCES = _names(TimeInForce, 8)
_STATES = _names(OrderState, 32)
_REASONS = _names(Reason, 64)
_REASONS[0] = ""
_LIQUIDITY = _names(Liquidity, 4)
_WHO = _names(Who, 4)
_RECORDS = np.array([RECORD_NAMES.get(kind, "") for kind in range(64)], dtype=object)


def equity_columns(outcome: Outcome) -> Columns:
    """The equity curve whole: ts and equity, [n]."""
    spool = outcome.equity_rows
    return {"ts": spool.column(0), "equity": spool.float_column(1)}


def equity_blocks(outcome: Outcome) -> Iterator[Columns]:
    """The equity table, block by block."""
    for block in outcome.equity_rows.blocks():
        floats = block.view(np.float64)
        yield {
            "ts": block[:, 0],
            "equity": floats[:, 1],
            "cash": floats[:, 2],
            "gross_exposure": floats[:, 3],
            "net_exposure": floats[:, 4],
            "margin_used": floats[:, 5],
        }


def fill_blocks(outcome: Outcome) -> Iterator[Columns]:
    """The fills table, block by block."""
    strategies, symbols, price_scale, qty_scale = _lookups(outcome)
    for block in outcome.fill_rows.blocks():
        floats = block.view(np.float64)
        head = block[:, 4]
        instrument = field(head, "instrument")
        yield {
            "ts": block[:, 0],
            "ts_event": block[:, 1],
            "exec_id": block[:, 2],
            "order_id": block[:, 3],
            "strategy": strategies[field(head, "strategy")],
            "symbol": symbols[instrument],
            "side": field(head, "side").astype(np.int8),
            "qty_units": block[:, 5],
            "price_units": block[:, 6],
            "qty": block[:, 5] / qty_scale[instrument],
            "price": block[:, 6] / price_scale[instrument],
            "fee": floats[:, 8] * floats[:, 14],
            "slippage": floats[:, 9] * floats[:, 14],
            "spread_cost": floats[:, 10] * floats[:, 14],
            "realised": floats[:, 12] * floats[:, 14],
            "rate": floats[:, 14],
            "liquidity": _LIQUIDITY[field(head, "liquidity")],
        }


def markout_blocks(outcome: Outcome) -> Iterator[Columns]:
    """The mark-outs of the fills on books, block by block: (middle - price) x side, quote currency, NaN where unknown."""
    middles = {mark[0]: mark[1:] for market in outcome.markets if market.depth for mark in market.depth.marks.rows()}
    strategies, symbols, price_scale, qty_scale = _lookups(outcome)
    unknown = (0,) * len(HORIZONS)
    for block in outcome.fill_rows.blocks() if middles else ():
        head, price = block[:, 4], block[:, 6]
        instrument, side = field(head, "instrument"), field(head, "side").astype(np.int8)
        twice = np.array([middles.get(exec_id, unknown) for exec_id in block[:, 2].tolist()], np.int64)
        moved = (twice - 2 * price[:, None]) * side[:, None] / (2.0 * price_scale[instrument][:, None])
        moved[twice == 0] = np.nan
        yield {
            "exec_id": block[:, 2],
            "ts_event": block[:, 1],
            "symbol": symbols[instrument],
            "strategy": strategies[field(head, "strategy")],
            "side": side,
            "qty": block[:, 5] / qty_scale[instrument],
            "price": price / price_scale[instrument],
            "liquidity": _LIQUIDITY[field(head, "liquidity")],
            "after_1s": moved[:, 0],
            "after_5s": moved[:, 1],
            "after_15s": moved[:, 2],
        }


def placement_columns(outcome: Outcome) -> Columns:
    """Where orders came to rest in books, in order of the venue's time."""
    strategies, symbols, _, qty_scale = _lookups(outcome)
    rows = np.concatenate([np.empty((0, WORDS + 1), np.int64), *(_placed(market) for market in outcome.markets)])
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    of = _order_facts(outcome) if len(rows) else {}
    instrument = rows[:, WORDS]
    scale = qty_scale[instrument]
    behind = rows[:, 2].astype(np.float64)
    behind[rows[:, 2] == NOWHERE] = np.nan
    return {
        "order_id": rows[:, 0],
        "ts_event": rows[:, 1],
        "symbol": symbols[instrument],
        "strategy": np.array([strategies[of[ident][0]] for ident in rows[:, 0].tolist()], object),
        "side": np.array([of[ident][1] for ident in rows[:, 0].tolist()], np.int8),
        "ticks_behind": behind,
        "ahead": rows[:, 3] / scale,
        "qty": rows[:, 4] / scale,
        "filled": rows[:, 5] / scale,
    }


def _placed(market: Market) -> NDArray[np.int64]:
    words = [] if market.depth is None else market.depth.placements.words()
    rows = np.array(words, np.int64).reshape(-1, WORDS)
    return np.column_stack((rows, np.full(len(rows), market.index, np.int64)))


def _order_facts(outcome: Outcome) -> dict[int, tuple[int, int]]:
    """(strategy, side) of each order that was sent."""
    found: dict[int, tuple[int, int]] = {}
    for block in outcome.decisions.blocks():
        sent = block[field(block[:, 2], "kind") == int(OrderEventKind.SUBMIT)]
        head = sent[:, 2]
        pairs = zip(field(head, "strategy").tolist(), field(head, "side").tolist(), strict=True)
        found.update(zip(sent[:, 3].tolist(), pairs, strict=True))
    return found


def order_blocks(outcome: Outcome) -> Iterator[Columns]:
    """The orders table, block by block: one row for each command and order event."""
    strategies, symbols, _, _ = _lookups(outcome)
    seq = 0
    quantities: dict[int, int] = {}
    signals: dict[int, int] = {}
    parents: dict[int, int] = {}
    displays: dict[int, int] = {}
    clients = _ClientIds()
    for whole in outcome.decisions.blocks():
        kinds = field(whole[:, 2], "kind")
        parents.update(whole[kinds == LINK][:, [3, 4]].tolist())
        shown = _displays(whole, displays)
        block = whole[kinds < _ORDER_RECORDS]
        if not len(block):
            continue
        head = block[:, 2]
        kind = field(head, "kind")
        submitted, filled = np.isin(kind, _SUBMITTED), np.isin(kind, _FILLED)
        fresh = np.isin(kind, _FRESH)
        asked = kind == int(OrderEventKind.REPLACE_REQUEST)  # of a quantity that is not yet the order's
        ids = block[:, 3].tolist()
        qty = np.empty(len(block), np.int64)
        for row, ident in enumerate(ids):  # in order: a split or replacement gives another quantity from its row on
            if submitted[row]:
                quantities[ident] = int(block[row, 4])
                if fresh[row]:
                    signals[ident] = int(block[row, 7])
            qty[row] = quantities[ident]
        cum = np.where(fresh, 0, np.where(filled | submitted | asked, block[:, 7], block[:, 4]))
        priced = submitted | asked
        state = field(head, "state")
        ended = np.isin(state, [int(s) for s in (OrderState.DENIED, OrderState.FILLED, OrderState.CANCELED,
                                                 OrderState.REJECTED, OrderState.EXPIRED)])  # fmt: skip
        flags = field(head, "flags")
        trails, in_ppm = field(head, "type") == int(OrderType.TRAILING_STOP), (flags & OrderFlag.TRAIL_PPM) > 0
        yield {
            "seq": np.arange(seq, seq + len(block), dtype=np.int64),
            "ts": block[:, 0],
            "ts_event": np.where(kind == int(OrderEventKind.SUBMIT), block[:, 0], block[:, 1]),
            "record": _RECORDS[kind],
            "order_id": block[:, 3],
            "client_id": np.array(
                [clients.after(what, ident) for what, ident in zip(kind.tolist(), ids, strict=True)], object
            ),
            "parent_id": np.array([parents.get(ident, 0) for ident in ids], np.int64),
            "strategy": strategies[field(head, "strategy")],
            "symbol": symbols[field(head, "instrument")],
            "side": field(head, "side").astype(np.int8),
            "type": _TYPES[field(head, "type")],
            "tif": _FORCES[field(head, "tif")],
            "qty_units": qty,
            "limit_units": np.where(priced, block[:, 5], 0),
            "stop_units": np.where(priced & ~trails, block[:, 6], 0),
            "cum_units": cum,
            "leaves_units": np.where(ended, 0, qty - cum),
            "state": _STATES[state],
            "reason": _REASONS[field(head, "reason")],
            "who": who_of(kind, head),
            "signal_id": np.array([signals.get(ident, 0) for ident in ids], np.int64),
            "post_only": (flags & OrderFlag.POST_ONLY) > 0,
            "reduce_only": (flags & OrderFlag.REDUCE_ONLY) > 0,
            "display_units": shown,
            "trail_units": np.where(priced & trails & ~in_ppm, block[:, 6], 0),
            "trail_ppm": np.where(priced & trails & in_ppm, block[:, 6], 0),
        }
        seq += len(block)


def _displays(block: NDArray[np.int64], told: dict[int, int]) -> NDArray[np.int64]:
    """How much of its order is shown at each order record of a block of decisions: what was told last before it.

    told: of each order of which not all is shown, as of the block's beginning; afterwards as of its end.
    """
    kinds = field(block[:, 2], "kind")
    says = kinds == DISPLAY
    if not told and not says.any():
        return np.zeros(int((kinds < _ORDER_RECORDS).sum()), np.int64)
    rows = says | (kinds < _ORDER_RECORDS)
    found = []
    for is_told, ident, shown in zip(says[rows].tolist(), *block[rows][:, [3, 4]].T.tolist(), strict=True):
        if is_told:
            told[ident] = shown or HIDDEN
        else:
            found.append(told.get(ident, 0))
    return np.array(found, np.int64)


def who_of(kind: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[Any]:
    """Who brought each order record about: strategy, system, trader or venue."""
    said = np.where(np.isin(kind, _EXECUTED), 0, field(head, "who"))
    return _WHO[np.where(said > 0, said, _BY_KIND[kind])]


class _ClientIds:
    """What a venue knows an order under after each of its records, as `Order.client_id` says it."""

    def __init__(self) -> None:
        self._asked: dict[int, int] = {}
        self._out: dict[int, bool] = {}
        self._live: dict[int, str] = {}

    def after(self, kind: int, order_id: int) -> str:
        """Take an order's next record."""
        if kind == OrderEventKind.REPLACE_REQUEST:
            self._asked[order_id] = self._asked.get(order_id, 0) + 1
            self._out[order_id] = True
        elif kind == OrderEventKind.REPLACE_REJECT:
            self._out[order_id] = False
        elif kind == OrderEventKind.REPLACE and self._out.pop(order_id, False):
            self._live[order_id] = f"{order_id}.{self._asked[order_id]}"
        return self._live.get(order_id, str(order_id))


def risk_blocks(outcome: Outcome) -> Iterator[Columns]:
    """The risk table, block by block: refusals and warnings with limit and actual value, and what was done by the kill switch or to the limits."""
    strategies, symbols, _, _ = _lookups(outcome)
    for whole in outcome.decisions.blocks():
        block = whole[np.isin(field(whole[:, 2], "kind"), (REFUSAL, WARNING, KILL, RESET, LIMITS))]
        if not len(block):
            continue
        head = block[:, 2]
        kind = field(head, "kind")
        of_order = (kind == REFUSAL) | (kind == WARNING)
        floats = block.view(np.float64)
        yield {
            "ts": block[:, 0],
            "record": _RECORDS[kind],
            "order_id": block[:, 3],
            "strategy": np.where(of_order, strategies[field(head, "strategy")], ""),
            "symbol": np.where(of_order, symbols[field(head, "instrument")], ""),
            "rule": _REASONS[block[:, 4]],
            "limit": floats[:, 5],
            "actual": floats[:, 6],
        }


def _lookups(outcome: Outcome) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
    instruments = outcome.backtest.instruments
    return (
        np.array([seat.name for seat in outcome.engine.seats], dtype=object),
        np.array([instrument.symbol for instrument in instruments], dtype=object),
        np.array([10.0**instrument.price_decimals for instrument in instruments]),
        np.array([10.0**instrument.qty_decimals for instrument in instruments]),
    )


def round_trips(outcome: Outcome) -> Trades:
    """The run's fills as round trips from flat to flat; what is still open is marked at the last price."""
    spool = outcome.fill_rows
    head = spool.column(4)
    fills = Fills(
        ts=spool.column(1),
        instrument=field(head, "instrument"),
        strategy=field(head, "strategy"),
        side=field(head, "side"),
        qty=spool.column(5),
        price=spool.column(6),
        fee=spool.float_column(8),
        slippage=spool.float_column(9),
    )
    found = flat_to_flat(
        fills,
        [InstrumentUnits.of(instrument) for instrument in outcome.backtest.instruments],
        marks=[holding.last_units for holding in outcome.engine.portfolio.holdings],
        mark_ts=outcome.last_clock,
        restatements=splits(outcome),
    )
    return _in_account_currency(found, fills, outcome) if len(outcome.engine.portfolio.ledgers) > 1 else found


def _in_account_currency(trades: Trades, fills: Fills, outcome: Outcome) -> Trades:
    """Each trade's money at the rate of its own last fill; of one that is open, at the last rate."""
    rates = outcome.fill_rows.float_column(14)
    last = np.array([holding.in_account(1.0) for holding in outcome.engine.portfolio.holdings])
    factor = last[trades.instrument]
    for instrument, strategy, rows in position_groups(fills):  # in order of time: fills as booked need not be
        ended = (trades.instrument == instrument) & (trades.strategy == strategy) & ~trades.is_open
        place = np.searchsorted(fills.ts[rows], trades.exit_ts[ended], side="right") - 1
        factor[ended] = rates[rows[place]]
    money = {name: getattr(trades, name) * factor for name in ("gross_pnl", "fees", "net_pnl", "slippage")}
    return dataclasses.replace(trades, **money)


def splits(outcome: Outcome) -> list[Restatement]:
    """The splits that happened during the run, by the market's time as fills are: news of one may come late."""
    found = []
    for block in outcome.decisions.blocks():
        for row in block[field(block[:, 2], "kind") == SPLIT].tolist():
            instrument = int(field(np.array([row[2]]), "instrument")[0])
            found.append(Restatement(ts=row[1], instrument=instrument, num=row[4], den=row[5]))
    return found


def trade_columns(outcome: Outcome, trades: Trades) -> Columns:
    """The trades table."""
    strategies, symbols, _, qty_scale = _lookups(outcome)
    return {
        "entry_ts": trades.entry_ts,
        "exit_ts": np.where(trades.is_open, 0, trades.exit_ts),
        "symbol": symbols[trades.instrument],
        "strategy": strategies[trades.strategy],
        "side": trades.side.astype(np.int8),
        "qty": trades.qty / qty_scale[trades.instrument],
        "entry_price": trades.entry_price,
        "exit_price": trades.exit_price,
        "gross_pnl": trades.gross_pnl,
        "fees": trades.fees,
        "net_pnl": trades.net_pnl,
        "return_pct": trades.return_pct,
        "holding_ns": trades.holding_ns,
        "open": trades.is_open,
    }


def signal_columns(outcome: Outcome) -> Columns:
    """The signals table."""
    signals = outcome.signals
    nan = float("nan")
    return {
        "signal_id": np.array([signal.signal_id for signal in signals], np.int64),
        "ts": np.array([signal.ts for signal in signals], np.int64),
        "strategy": [signal.strategy for signal in signals],
        "symbol": [signal.symbol for signal in signals],
        "action": [signal.action.name.lower() for signal in signals],
        "confidence": np.array([signal.confidence for signal in signals], np.float64),
        "target_price": np.array([nan if s.target_price is None else s.target_price for s in signals], np.float64),
        "stop_price": np.array([nan if s.stop_price is None else s.stop_price for s in signals], np.float64),
        "reasoning": [signal.reasoning for signal in signals],
    }


def kind_counts(outcome: Outcome) -> dict[str, int]:
    """How many order records of each kind the decision log has."""
    counts = np.zeros(64, np.int64)
    for block in outcome.decisions.blocks():
        counts += np.bincount(field(block[:, 2], "kind"), minlength=64)
    return {RECORD_NAMES[kind]: int(counts[kind]) for kind in range(64) if counts[kind] and kind in RECORD_NAMES}
