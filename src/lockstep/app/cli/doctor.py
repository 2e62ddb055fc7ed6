"""`lockstep doctor`: is this machine fit, and what to do where it is not."""

from pathlib import Path

import click

from lockstep.app.cli.options import Command, examples, json_option, runs_option

_MARKS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


@click.command("doctor", cls=Command, epilog=examples("lockstep doctor", "lockstep doctor --json"))
@runs_option
@json_option
def command(root: Path, as_json: bool) -> int:
    """Check the environment, and say what to do.

    Exit code 0 where Lockstep works (warnings included), 1 where something stops it.
    """
    from lockstep.app.cli.checks import all_checks

    checks = all_checks(root)
    worst = 1 if any(check.status == "fail" for check in checks) else 0
    if as_json:
        from lockstep.app.cli.console import print_json

        print_json({"healthy": not worst, "checks": [check._asdict() for check in checks]})
        return worst
    from rich.table import Table
    from rich.text import Text

    from lockstep.app.cli.console import say, screen, show

    console = screen()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        word, style = _MARKS[check.status]
        told = Text(check.fact)
        if check.advice:
            told.append(f"\n{check.advice}", style="cyan")
        table.add_row(Text(word, style=style), check.name, told)
    show(console, table)
    warned = sum(check.status == "warn" for check in checks)
    say(console, "")
    if worst:
        say(console, "something stops Lockstep: see the lines marked FAIL", "bold red")
    else:
        say(console, f"fit to run{f', with {warned} remarks' if warned else ''}", "bold green")
    return worst
