"""A finished run on one screen: what it made against buy and hold, what it risked, what it cost."""

import shlex
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lockstep.app.cli.console import say, show
from lockstep.app.cli.launch import Finished
from lockstep.app.cli.options import SHORT_HASH
from lockstep.store.catalog.times import time_text

Row = tuple[str, Text, str, str]
"""Name, the strategy's, buy and hold's, a remark."""
_NAMED_MAX = 6
_SHOWN_AFTER_S = 5
_REFUSED = {"denied": "denied by risk", "rejected": "rejected"}


def show_outcome(console: Console, run: Finished) -> None:
    """Title, figures, warnings and notice of a run."""
    say(console, "")
    say(console, _title(run), "bold")
    say(console, _subtitle(run), "dim")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("strategy", justify="right", no_wrap=True)
    table.add_column("buy and hold", justify="right", no_wrap=True)
    table.add_column("", style="dim", overflow="fold")
    for row in _rows(run):
        table.add_row(*row)
    say(console, "")
    show(console, table)
    say(console, "")
    if run.notice:
        say(console, f"note: {run.notice}", "yellow")
    for warning in run.manifest["warnings"]:
        say(console, f"warning: {warning}", "yellow")


def _title(run: Finished) -> str:
    symbols = [entry["symbol"] for entry in run.manifest["instruments"]]
    named = ", ".join(symbols[:_NAMED_MAX]) + (
        f" and {len(symbols) - _NAMED_MAX} more" if len(symbols) > _NAMED_MAX else ""
    )
    return f"{run.manifest['strategy']['name']} on {named}"


def _subtitle(run: Finished) -> str:
    ts = run.measures.ts
    span = f"{time_text(int(ts[0]))[:10]} to {time_text(int(ts[-1]))[:10]}, " if ts.size else ""
    params = ", ".join(f"{name} {value}" for name, value in run.manifest["strategy"]["params"].items())
    counts = run.manifest["counts"]
    seen = f"{counts['bars']:,} bars" if counts["bars"] else f"{counts['events']:,} events"
    return f"{span}{seen}{f'; {params}' if params else ''}"


def _rows(run: Finished) -> list[Row]:
    summary, held = run.measures.summary, run.measures.summary.benchmark
    counts, final = run.manifest["counts"], run.manifest["final"]
    cash = float(run.manifest["config"]["cash"])
    money = run.manifest["config"]["currency"]
    rate = summary.trades.win_rate if summary.trades is not None else None
    fees, slippage = float(final["fees"]), float(final["slippage"])
    few = summary.sharpe is not None and summary.sharpe_interval is None
    held_return, held_drawdown = (held.total_return, held.max_drawdown) if held else (None, None)
    return [
        ("Total return", signed_percent(summary.total_return), percent(held_return), ""),
        ("Return a year", signed_percent(summary.annual_return), percent(run.measures.benchmark_annual), ""),
        (
            "Sharpe ratio",
            Text(ratio(summary.sharpe)),
            ratio(held.sharpe if held else None),
            f"of {summary.n_days} days: too few to mean anything" if few else "",
        ),
        ("Max drawdown", Text(percent(summary.max_drawdown)), percent(held_drawdown), ""),
        (
            "Final equity",
            Text(f"{float(final['equity']):,.2f}"),
            _grown(cash, held_return),
            f"{money}, from {cash:,.0f}",
        ),
        ("Trades", Text(f"{counts['trades']:,}"), "", f"{percent(rate, 0)} won" if rate is not None else ""),
        ("Orders", Text(f"{counts['orders']:,}"), "", _orders(counts)),
        ("Fees", Text(cost(fees)), "", _fees_remark(run.manifest, fees, cash)),
        ("Slippage", Text(cost(slippage)), "", f"{slippage / cash:.2%} of the start"),
        *_on_books(run.manifest),
    ]


def _on_books(manifest: dict[str, Any]) -> list[Row]:
    """How orders on books were filled, and how they fared; nothing for a run without any."""
    facts, latency = manifest["execution"], manifest["latency"]
    if facts is None:
        return []
    rows = [
        ("Latency", Text(latency["name"]), "", f"{latency['text']}; {latency['why']}"),
        ("Queue", Text(", ".join(sorted(set(facts["queue"].values())))), "", "how places in the book's queues move"),
    ]
    messages = facts["messages"]
    if facts["order_to_trade"] is not None:
        told = f"{messages['orders']:,} orders, {messages['replaces']:,} replaced, {messages['cancels']:,} cancels"
        rows.append(("Messages a fill", Text(ratio(facts["order_to_trade"])), "", told))
    at_best = next(rate for rate in facts["fill_rates"] if rate["distance"] == "at best")
    if at_best["placements"]:
        rows.append(
            ("Filled at the best", Text(percent(at_best["share"])), "", f"of {at_best['placements']:,} placed there")
        )
    for mark in facts["mark_outs"]:
        if mark["horizon_s"] == _SHOWN_AFTER_S and mark["ticks"] is not None:
            name = f"{mark['liquidity'].capitalize()} mark-out"
            told = f"ticks after {_SHOWN_AFTER_S} s, {mark['symbol']}, {mark['fills']:,} fills"
            rows.append((name, Text(f"{mark['ticks']:+.2f}"), "", told))
    return rows


def _grown(cash: float, total_return: float | None) -> str:
    return "-" if total_return is None else f"{cash * (1.0 + total_return):,.2f}"


def _fees_remark(manifest: dict[str, Any], fees: float, cash: float) -> str:
    if fees == 0.0 and manifest["counts"]["fills"]:
        rates = sorted({entry["fees"] for entry in manifest["instruments"]})
        return f"none was charged: the fees of the run are {', '.join(rates)}"
    return f"{fees / cash:.2%} of the start"


def _orders(counts: dict[str, int]) -> str:
    told = [f"{counts['fills']:,} fill{'s' * (counts['fills'] != 1)}"]
    told += [f"{counts[name]:,} {words}" for name, words in _REFUSED.items() if counts[name]]
    return ", ".join(told)


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction as percent; a dash where it is undefined."""
    return "-" if value is None else f"{value * 100:,.{digits}f} %"


def cost(value: float) -> str:
    """Money to two decimals, and with two digits that count where these would hide it: a thousandth of a bitcoin is a cost, too."""
    decimals = 2
    while value and decimals < 12 and abs(value) * 10**decimals < 10.0:
        decimals += 1
    return f"{value:,.{decimals}f}"


def ratio(value: float | None) -> str:
    """Two digits; a dash where it is undefined."""
    return "-" if value is None else f"{value:.2f}"


def signed_percent(value: float | None) -> Text:
    """A percentage in green or red, the sign always shown."""
    if value is None:
        return Text("-")
    return Text(f"{value * 100:+,.1f} %", style="bold green" if value > 0 else "bold red" if value < 0 else "bold")


def show_places(console: Console, run: Finished) -> None:
    """Where everything is, and how fast it went."""
    speed = run.facts["events"] / run.facts["seconds"] if run.facts["seconds"] else 0.0
    how = "compiled" if run.facts["compiled"] else "uncompiled: lockstep doctor says why"
    if run.report is not None:
        say(console, f"Report  {run.report}", "bold")
    if run.recording is not None:
        say(console, f"Record  {run.recording}: lockstep replay {shlex.quote(str(run.recording))}")
    say(
        console,
        f"Run     {run.facts['run_hash'][:SHORT_HASH]}{f' in {run.folder.parent}' if run.folder else ' (not kept)'}",
    )
    say(
        console,
        f"Speed   {run.facts['events']:,} events in {run.facts['seconds']:.2f} s, {speed:,.0f} a second, {how}",
        "dim",
    )
