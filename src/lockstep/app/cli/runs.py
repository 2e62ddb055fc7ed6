"""`lockstep runs`: what was run."""

from pathlib import Path
from typing import Any

import click

from lockstep.app.cli.options import SHORT_HASH, Command, examples, json_option, runs_option
from lockstep.model.errors import DataError

LISTED_HASH = 8
_WIDE = 96


@click.command("runs", cls=Command, epilog=examples("lockstep demo", "lockstep runs", "lockstep runs --last 1 --json"))
@click.option(
    "--last", default=20, show_default=True, type=click.IntRange(min=1), metavar="N", help="Only the newest N."
)
@runs_option
@json_option
def command(last: int, root: Path, as_json: bool) -> None:
    """List what was run, the newest first."""
    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.app.cli.outcome_table import percent, ratio, signed_percent
    from lockstep.model.errors import LockstepError
    from lockstep.store.runs import list_runs

    found = list_runs(root)
    listed: list[dict[str, Any]] = []
    unreadable: list[str] = []
    for folder in reversed(found[-last:]):
        try:
            listed.append(facts_of(folder))
        except LockstepError as e:
            unreadable.append(f"{folder.path.name[:SHORT_HASH]}: {e}" + (f"; {e.hint}" if e.hint else ""))
    if as_json:
        print_json({"folder": str(root), "runs": listed, "total": len(found), "unreadable": unreadable})
        return
    console = screen()
    if not found:
        say(console, f"no runs in {root}; lockstep demo makes the first")
        return
    table = plain_table(
        "when", "strategy", "data", "return", "sharpe", "max dd", "trades", "run",
        right=("return", "sharpe", "max dd", "trades", "run"),
    )  # fmt: skip
    digits = len("2026-11-21 08:33") if console.width >= _WIDE else len("2026-11-21")
    for entry in listed:
        table.add_row(
            str(entry["created"] or "-")[:digits].replace("T", " "),
            entry["strategy"],
            " ".join(entry["symbols"]) if len(entry["symbols"]) <= 2 else f"{entry['data']} ({len(entry['symbols'])})",
            signed_percent(entry["total_return"]),
            ratio(entry["sharpe"]),
            percent(entry["max_drawdown"]),
            f"{entry['trades']:,}",
            entry["run_hash"][:LISTED_HASH],
        )
    show(console, table)
    if len(found) > len(listed):
        say(console, f"{len(listed)} of {len(found)} runs; --last {len(found)} shows all", "dim")
    for line in unreadable:
        say(console, f"warning: {line}", "yellow")


def facts_of(folder: Any) -> dict[str, Any]:
    """One run in a few figures, also one of another schema as long as it has them. Raises: DataError: it does not, or is damaged."""
    try:
        return _facts(folder)
    except (KeyError, TypeError, ValueError) as e:
        folder.checked()  # says so where it is of another schema
        raise DataError(f"{folder.path}: its manifest lacks {e}", hint="run the backtest again") from e


def _facts(folder: Any) -> dict[str, Any]:
    manifest = folder.manifest
    headline = manifest["headline"]
    return {
        "run_hash": folder.run_hash,
        "created": folder.session.get("created"),
        "strategy": manifest["strategy"]["name"],
        "params": manifest["strategy"]["params"],
        "data": ", ".join(sorted({entry["source"] for entry in manifest["data"]})),
        "symbols": [entry["symbol"] for entry in manifest["instruments"]],
        "total_return": headline["total_return"],
        "sharpe": headline["sharpe"],
        "max_drawdown": headline["max_drawdown"],
        "final_equity": float(manifest["final"]["equity"]),
        "trades": manifest["counts"]["trades"],
        "path": str(folder.path),
    }
