"""A run under a log, and what the log says of it as a whole: what it starts with, how it ended, or why it could not."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from lockstep._version import __version__
from lockstep.engine.rowlog import Sink
from lockstep.model.errors import LockstepError
from lockstep.run.backtest import Backtest, Outcome, Progress, is_compiled
from lockstep.run.logs.log import RunLog
from lockstep.run.tables import kind_counts


def run_logged(
    backtest: Backtest, log: RunLog, progress: Progress | None = None, decision_sinks: Sequence[Sink] = ()
) -> Outcome:
    """`Backtest.run`, with everything that happens in the log. The log is closed afterwards; a failure is in it, too.

    Raises: as `Backtest.run`.
    """
    with session_of(log, backtest):
        playing = backtest.begin(progress, [log.rows, *decision_sinks])
        log.follow(playing.engine)
        with playing.faults_named():
            playing.loop.run_all()
        outcome = playing.end()
        say_ended(log, outcome)
    return outcome


@contextmanager
def session_of(log: RunLog, backtest: Backtest) -> Iterator[None]:
    """A run inside is in the log from its beginning; so is a failure. The log is closed afterwards."""
    with log:
        log.begin_at(min(entry.info.first_ns for entry in backtest.data))
        say_started(log, backtest)
        try:
            yield
        except BaseException as e:
            say_failed(log, e)
            raise


def say_started(log: RunLog, backtest: Backtest) -> None:
    """Version, strategies with their parameters, configuration and limits, and what the data are, before anything else."""
    symbols = [instrument.symbol for instrument in backtest.instruments]
    log.say(
        logging.INFO,
        "run",
        "session_start",
        f"{backtest.name} on {', '.join(symbols)}",
        lockstep=__version__,
        compiled=is_compiled(),
        strategies={plan.name: dict(plan.all_params) for plan in backtest.plans},
        config=backtest.config.facts(),
        data={entry.info.symbol + " " + entry.info.kind: entry.info.content_hash for entry in backtest.data},
    )


def say_ended(log: RunLog, outcome: Outcome) -> None:
    """The summary of a session: its hashes, what was counted, and the account at the end."""
    kinds = kind_counts(outcome)
    portfolio = outcome.engine.portfolio
    ledger = portfolio.ledger
    log.say(
        logging.INFO,
        "run",
        "session_summary",
        f"{outcome.orders:,} orders, {outcome.fills:,} fills, {outcome.denied:,} refused; "
        f"equity {outcome.final_equity:,.2f} {ledger.currency}",
        run_hash=outcome.run_hash,
        decision_hash=outcome.decision_hash,
        events=outcome.events,
        orders=outcome.orders,
        fills=outcome.fills,
        refused=outcome.denied,
        rejected=kinds.get("reject", 0),
        open_orders=len(outcome.engine.open_orders()),
        currency=ledger.currency,
        equity=outcome.final_equity,
        profit=outcome.final_equity - float(outcome.backtest.config.cash),
        cash=ledger.balance,
        fees=ledger.decimal(ledger.fees),
        realised=ledger.decimal(ledger.realised),
        strategies={
            seat.name: {
                "realised": str(ledger.decimal(sum(one.realised for one in held))),
                "fees": str(ledger.decimal(sum(one.fees for one in held))),
                "fills": sum(one.fills for one in held),
            }
            for number, seat in enumerate(outcome.engine.seats)
            if (held := [one for one in portfolio.positions if one.strategy_index == number])
        },
    )


def say_failed(log: RunLog, error: BaseException) -> None:
    """Why a session ended before its end."""
    with suppress(LockstepError):  # another sink may be what failed
        log.flush()
    told: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, LockstepError) and error.hint:
        told["hint"] = error.hint
    log.say(logging.CRITICAL, "run", "session_failed", str(error) or type(error).__name__, **told)
