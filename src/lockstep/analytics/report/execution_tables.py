"""The section of the page about orders on books: under which model they were filled, how often, and what followed."""

from lockstep.analytics.execution import MarkOut
from lockstep.analytics.report.inputs import ExecutionFacts, ReportInput
from lockstep.analytics.report.markup import Html
from lockstep.analytics.report.tables import facts_list, plain_table
from lockstep.analytics.report.wording import DASH, count, number, percent, signed_money

__all__ = ["execution_panels"]


def execution_panels(run: ReportInput) -> list[tuple[str, str, Html]]:
    """Each table with its title and what it says; empty for a run without order books."""
    facts = run.manifest.execution
    if facts is None:
        return []
    words = "What an order met, and how long messages took. Commission and slippage are among the costs."
    found = [("Queue and latency", words, facts_list(_settings(run, facts)))]
    if any(row.placements for row in facts.fill_rates):
        words = (
            "Orders that came to rest, by how far behind the best price of their side they did; a replaced order counts at each "
            "price. Ahead is what stood at the price on arrival, on average, of those that were filled at all and of the others."
        )
        found.append(("Fill rate by distance", words, _rates(facts)))
    if facts.mark_outs:
        words = (
            "How far the middle of the book stood from a fill's price afterwards, in our favour above 0, by quantity. Below 0 is "
            "adverse selection: the other side knew more."
        )
        found.append(("Mark-outs", words, _marks(run, facts.mark_outs)))
    return found


def _settings(run: ReportInput, facts: ExecutionFacts) -> dict[str, str]:
    latency, messages = run.manifest.latency, facts.messages
    ratio = DASH if facts.order_to_trade is None else f"{number(facts.order_to_trade, 1)} messages a fill"
    parts = ", ".join(f"{count(messages.get(name, 0))} {name}" for name in ("orders", "replaces", "cancels"))
    return {
        "Queue model": _by_symbol(facts.queue),
        "Recovery of what we took": f"{facts.recovery_ns / 1e6:g} ms half-life"
        if facts.recovery_ns
        else "when the level is told again",
        "A silent book is believed for": f"{facts.silence_max_ns / 1e9:g} s" if facts.silence_max_ns else "any time",
        "Latency": f"{latency.get('name', '')}: {latency.get('text', '')}",
        "Why this latency": str(latency.get("why", "")),
        "Feed": _by_symbol(latency.get("feed", {})),
        "Order-to-trade ratio": f"{ratio} ({parts})",
    }


def _by_symbol(texts: dict[str, str]) -> str:
    """One text where all symbols share it."""
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{symbol} {text}" for symbol, text in texts.items())


def _rates(facts: ExecutionFacts) -> Html:
    heads = ("Behind the best", "Placed", "Filled at all", "Part of quantity", "Ahead, filled", "Ahead, not filled")
    rows = [
        (
            row.distance,
            count(row.placements),
            percent(row.touched / row.placements) if row.placements else DASH,
            percent(row.share),
            number(row.ahead_filled, 3),
            number(row.ahead_unfilled, 3),
        )
        for row in facts.fill_rates
    ]
    return plain_table(heads, rows, "Fill rate by distance from the best")


def _marks(run: ReportInput, marks: tuple[MarkOut, ...]) -> Html:
    several = len({mark.symbol for mark in marks}) > 1
    currencies = {entry.symbol: entry.currency for entry in run.manifest.instruments}
    rows = [
        (
            f"{mark.symbol}, {mark.liquidity}" if several else mark.liquidity,
            f"{mark.horizon_s} s",
            count(mark.fills),
            count(mark.unknown),
            number(mark.ticks, 2),
            number(mark.price, 4),
            DASH if mark.money is None else signed_money(mark.money, currencies.get(mark.symbol, "")),
        )
        for mark in marks
    ]
    heads = ("Fills", "After", "Count", "Not known", "Ticks", "Price", "Money, all fills")
    return plain_table(heads, rows, "Mark-outs of fills", text_columns=2)
