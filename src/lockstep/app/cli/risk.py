"""`lockstep risk`: what the risk gate did in a run."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockstep.app.cli.options import SHORT_HASH, Command, examples, json_option, runs_option
from lockstep.app.cli.root import Subcommands

if TYPE_CHECKING:
    from lockstep.store.runs import RunFolder

_SHOWN = 20
_WORDS = {"reset": "reset", "limits": "limits changed"}


@click.group("risk", cls=Subcommands, epilog=examples("lockstep demo", "lockstep risk report"))
def command() -> None:
    """See what the risk gate refused, and how near each limit came."""


@command.command("report", cls=Command, epilog=examples("lockstep demo", "lockstep risk report --json"))
@click.argument("which", required=False, metavar="[RUN]")
@runs_option
@json_option
def report(which: str | None, root: Path, as_json: bool) -> None:
    """Refusals by rule, warnings, how near each limit came, and what the kill switch did.

    RUN is the beginning of a run's hash or the path of its folder; without one it is the newest run.
    """
    from lockstep.app.cli.console import print_json, screen
    from lockstep.app.cli.report import newest
    from lockstep.store.runs import RunFolder

    facts = facts_of(newest(root) if which is None else RunFolder.open(which, root))
    if as_json:
        print_json(facts)
    else:
        _show(screen(), facts)


def facts_of(folder: "RunFolder") -> dict[str, Any]:
    """The report as plain data. Raises: DataError: the run is damaged, or of a version that kept none of this."""
    from lockstep.model.errors import DataError

    risk = folder.manifest.get("risk")
    if risk is None:
        raise DataError(f"{folder.path}: made before risk was kept in runs", hint="run the backtest again")
    table = folder.table("risk")
    rows = list(zip(table["record"], table["rule"], strict=True))
    refused = Counter(rule for record, rule in rows if record == "refusal")
    warned = Counter(rule for record, rule in rows if record == "warning")
    nearest: dict[str, dict[str, Any]] = {}
    for entry in risk["nearest"]:
        if entry["part"] > nearest.get(entry["rule"], {"part": 0.0})["part"]:
            nearest[entry["rule"]] = entry
    return {
        "run_hash": folder.run_hash,
        "checked": risk["checked"],
        "refused": risk["refused"],
        "rules": [
            {
                "rule": rule,
                "refusals": refused[rule],
                "warnings": warned[rule],
                "nearest": nearest.get(rule),
            }
            for rule in sorted({*refused, *warned, *nearest}, key=lambda rule: (-refused[rule], rule))
        ],
        "verdict_ns": folder.session.get("verdict_ns"),
        "halted": risk["halted"],
        "kill_switch": risk["kill_switch"],
    }


def _show(console: Any, facts: dict[str, Any]) -> None:
    from lockstep.app.cli.console import plain_table, say, show
    from lockstep.store.catalog.times import time_text

    say(
        console,
        f"run {facts['run_hash'][:SHORT_HASH]}: {facts['checked']:,} orders checked, {facts['refused']:,} refused",
    )
    if facts["rules"]:
        table = plain_table(
            "rule", "refused", "warnings", "nearest approved", "by", right=("refused", "warnings", "nearest approved")
        )
        for entry in facts["rules"]:
            near = entry["nearest"]
            table.add_row(
                entry["rule"],
                f"{entry['refusals']:,}",
                f"{entry['warnings']:,}",
                f"{near['part']:.1%}" if near else "-",
                f"{near['strategy']} {near['symbol']}" if near else "-",
            )
        show(console, table)
    took = facts["verdict_ns"]
    if took and took["count"]:
        parts = [
            f"{name} {took[key] / 1000:.1f}"
            for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("max", "max"))
        ]
        say(console, f"a verdict took, in microseconds: {', '.join(parts)}")
    for act in facts["kill_switch"][-_SHOWN:]:
        numbers = f", {act['actual']:.4g} beyond {act['limit']:.4g}" if act["limit"] or act["actual"] else ""
        what = _WORDS.get(act["rule"], "halted")
        say(console, f"{time_text(act['ts'])}  {what} by {act['who']}: {act['why']}{numbers}")
    if facts["halted"]:
        say(console, "the kill switch was still on at the end", "yellow")
