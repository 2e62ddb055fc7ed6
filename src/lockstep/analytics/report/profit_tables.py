"""The section of the page that says where the profit came from: by instrument, by strategy, by hour of the day."""

from collections.abc import Sequence
from decimal import Decimal

from lockstep.analytics.attribution import Attribution, Row, attribution
from lockstep.analytics.report.inputs import ReportInput
from lockstep.analytics.report.markup import Html, tag
from lockstep.analytics.report.tables import plain_table
from lockstep.analytics.report.wording import count, money, percent, signed_money

ROWS_MAX = 40
_HEADS = {
    "realised": "Realised",
    "unrealised": "Open",
    "dividends": "Dividends",
    "funding": "Funding",
    "borrow": "Borrowing",
    "fees": "Fees",
}
_ALWAYS = ("realised", "unrealised", "fees")


def profit_panels(run: ReportInput) -> list[tuple[str, str, Html]]:
    """Each table with its title and what it says; empty for a run that recorded no account."""
    account = run.manifest.account
    if not account or not account.get("shares"):
        return []
    facts = {"account": account}
    symbols = attribution(facts, run.table, "symbol")
    found = [("By instrument", _held(run), _table(symbols, "Instrument"))]
    strategies = attribution(facts, run.table, "strategy")
    if len(strategies.rows) > 1:
        words = "Each strategy with the instruments it traded; they share the account."
        found.append(("By strategy", words, _table(strategies, "Strategy")))
    hours = attribution(facts, run.table, "hour")
    if len(hours.rows) > 1:
        words = "Hours of the day, UTC; an hour includes the moment it ends at. Open is the change of the open profit."
        found.append(("By hour of the day", words, _table(hours, "Hour")))
    return found


def _table(found: Attribution, head: str) -> Html:
    shown = [name for name in _HEADS if name in _ALWAYS or any(row[name] for row in found.rows)]
    rows = [*_largest(found.rows), found.total | {"group": "Total"}]
    heads = (head, "Fills", *(_HEADS[name] for name in shown), "Net")
    cells = [
        (
            str(row["group"]),
            count(row["fills"]),
            *(_amount(row[name], name, found.currency) for name in shown),
            signed_money(float(row["net"]), found.currency),
        )
        for row in rows
    ]
    return tag("div", plain_table(heads, cells, f"Profit by {head.lower()}"))


def _amount(amount: Decimal, name: str, currency: str) -> str:
    return money(float(amount), currency) if name == "fees" else signed_money(float(amount), currency)


def _largest(rows: Sequence[Row]) -> list[Row]:
    """All rows, or those of most profit and loss and the rest as one, in their order."""
    if len(rows) <= ROWS_MAX:
        return list(rows)
    kept = sorted(range(len(rows)), key=lambda k: -abs(rows[k]["net"]))[:ROWS_MAX]
    rest = [row for k, row in enumerate(rows) if k not in kept]
    summed: Row = {name: sum(row[name] for row in rest) for name in rest[0] if name != "group"}
    return [*(rows[k] for k in sorted(kept)), summed | {"group": f"{len(rest)} others"}]


def _held(run: ReportInput) -> str:
    readings = run.manifest.account["readings"]
    if not readings.get("gross"):
        return "Every amount is exact, and every table adds up to the account. Nothing is held at the end."
    currency = run.manifest.currency
    return (
        f"Every amount is exact, and every table adds up to the account. Held at the end: {money(readings['gross'], currency)} "
        f"gross, the largest instrument {percent(readings['concentration'], 0)} of it; margin {money(readings['margin_used'], currency)}."
    )
