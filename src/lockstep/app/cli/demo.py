"""`lockstep demo`: the first thing a newcomer runs."""

from pathlib import Path

import click

from lockstep.app.cli.options import SHORT_HASH, Command, examples, json_option, runs_option

STRATEGY = Path(__file__).parent.parent / "examples" / "ema_cross.py"
DATASET = "us_stocks"
REPORT = "report.html"


@click.command("demo", cls=Command, epilog=examples("lockstep demo", "lockstep demo --json --out report.html"))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The report; by default in the run's folder."
)
@runs_option
@json_option
def command(out: Path | None, root: Path, as_json: bool) -> None:
    """Backtest on real prices that ship with Lockstep, with a report.

    The first example of the documentation, an EMA cross with its default parameters, on the daily prices of AAPL, FB,
    GOOG, IBM and MSFT from 2000 to 2013, all five at once. The same result every time.
    """
    from lockstep.app.cli.console import RunProgress, print_json, say, screen
    from lockstep.app.cli.launch import check_writable, run_backtest
    from lockstep.app.cli.outcome_table import show_outcome, show_places
    from lockstep.run.backtest import Backtest
    from lockstep.run.strategy_file import load_strategy
    from lockstep.store.catalog.places import locate, shipped
    from lockstep.store.catalog.readers import read_market_data

    check_writable(out)
    with RunProgress() as progress:
        progress.reading(DATASET)
        own = shipped()[DATASET]  # never a file of the user's that has the same name
        data = read_market_data(DATASET if locate(DATASET) == own else own)
        run = run_backtest(
            Backtest(load_strategy(STRATEGY), data),
            progress,
            command="lockstep demo",
            root=root,
            sensitivity=True,
            report=out if out is not None else REPORT,
        )
    if as_json:
        print_json(run.as_json())
        return
    console = screen()
    show_outcome(console, run)
    show_places(console, run)
    say(console, "")
    say(console, "Next")
    for line, why in (
        (f"lockstep report {run.facts['run_hash'][:SHORT_HASH]} --open", "look at the report in a browser"),
        ("lockstep new my_strategy", "write a strategy of your own: twelve lines"),
        (f"lockstep backtest my_strategy.py --data {DATASET}", "run it"),
    ):
        say(console, f"  {line:<52}{why}", "cyan")
