"""Why a run traded nothing: a run without orders or fills says so, and what to change."""

from collections import Counter

from lockstep.engine.records import field
from lockstep.engine.subscription import Subscription
from lockstep.model.enums import BookFault, BookState, OrderEventKind, Reason
from lockstep.run.backtest import Outcome
from lockstep.strategy.base import Strategy

_ADVICE = {
    Reason.ORDER_QTY: "the limit is --max-order-qty",
    Reason.POSITION: "the limit is --max-position",
    Reason.BUYING_POWER: "orders cost more than the account has: order less, or raise --cash or --leverage",
    Reason.NO_REFERENCE_PRICE: "no price was known yet: order from on_bar",
    Reason.OUTSIDE_HOURS: "the venue was closed: see --calendar",
}
_WORDS = {
    OrderEventKind.REJECT: "rejected by the venue",
    OrderEventKind.EXPIRE: "expired",
    OrderEventKind.CANCEL: "cancelled",
}


def notice_of(outcome: Outcome) -> str:
    """One or two sentences where nothing was ordered or filled, or risk refused orders; empty where all went out."""
    if outcome.fills:
        return _some_denied(outcome) if outcome.denied else ""
    if outcome.orders:
        return _no_fills(outcome)
    if outcome.denied:
        return _all_denied(outcome)
    return _never_asked(outcome)


def _never_asked(outcome: Outcome) -> str:
    subs = outcome.engine.state.subscriptions
    if subs and not any(sub.ready or sub.look_ready() for sub in subs):
        waiting = [(sub, entry) for sub in subs for entry in sub.sets() if entry.count < entry.warmup]
        if not waiting:
            return _features_never_known(subs[0])
        closest, wanting = max(waiting, key=lambda pair: pair[1].count / pair[1].warmup)
        return (
            f"no orders: the indicators were never ready: {closest.instrument.symbol} has {wanting.count} "
            f"{'bars' if wanting is closest.indicators else 'events'}, "
            f"{wanting.warmup} are needed to warm up; use a longer range or shorter periods"
        )
    name = outcome.backtest.strategy.name
    if outcome.backtest.strategy.cls.on_bar is Strategy.on_bar:
        return f"no orders: {name} has no on_bar, and none of its other handlers ordered anything in this data"
    calls = sum(sub.bars - max(warmup_of(sub), 1) + 1 for sub in subs if sub.ready)
    return f"no orders: on_bar of {name} was called {calls:,} times, and its conditions to trade were never true"


def _features_never_known(sub: Subscription) -> str:
    """What features of a book waited for: handlers are called once all were known at one time."""
    unknown = [repr(entry) for entry in sub.features or () if not entry.ready]
    state, why = sub.seen_book().status if sub.book is not None else (BookState.GOOD, BookFault.NONE)
    told = f"not known at the end: {', '.join(unknown)}" if unknown else "each was known, never all at one time"
    book = "" if state == BookState.GOOD else f"; its book was {state.name} ({why.name})"
    return (
        f"no orders: the features of {sub.instrument.symbol} were never all known{book}; {told}; "
        "use a longer range or shorter spans, and look at the notes of the data: lockstep data show"
    )


def warmup_of(sub: Subscription) -> int:
    """Bars until on_bar starts; 0 where no indicator of bars is declared."""
    return 0 if sub.indicators is None or not sub.waits else sub.indicators.warmup


def _all_denied(outcome: Outcome) -> str:
    reasons = _reasons(outcome, OrderEventKind.DENY)
    top = reasons.most_common(1)[0][0]
    advice = _ADVICE.get(top, "")
    return f"no orders: risk refused all {outcome.denied:,} ({_listed(reasons)}){'; ' if advice else ''}{advice}"


def _some_denied(outcome: Outcome) -> str:
    reasons = _reasons(outcome, OrderEventKind.DENY)
    advice = _ADVICE.get(reasons.most_common(1)[0][0], "")
    asked = outcome.orders + outcome.denied
    told = f"risk refused {outcome.denied:,} of {asked:,} orders ({_listed(reasons)})"
    return f"{told}{'; ' if advice else ''}{advice}"


def _no_fills(outcome: Outcome) -> str:
    parts = []
    advice = ""
    for kind, words in _WORDS.items():
        reasons = _reasons(outcome, kind)
        if reasons:
            why = _listed(reasons) if any(reasons) else ""
            parts.append(f"{sum(reasons.values()):,} {words}{f' ({why})' if why else ''}")
            advice = advice or _ADVICE.get(reasons.most_common(1)[0][0], "")
    working = len(outcome.engine.open_orders())
    if working:
        parts.append(f"{working:,} still working when the data ended")
    told = "; ".join(parts) or "none reached its price"
    return f"no fills: {outcome.orders:,} orders were sent: {told}{'; ' if advice else ''}{advice}"


def _reasons(outcome: Outcome, kind: OrderEventKind) -> Counter[Reason]:
    counts: Counter[Reason] = Counter()
    for block in outcome.decisions.blocks():
        heads = block[:, 2]
        for reason in field(heads[field(heads, "kind") == int(kind)], "reason").tolist():
            counts[Reason(reason)] += 1
    return counts


def _listed(reasons: Counter[Reason]) -> str:
    return ", ".join(f"{count:,} x {reason.name.lower().replace('_', ' ')}" for reason, count in reasons.most_common())
