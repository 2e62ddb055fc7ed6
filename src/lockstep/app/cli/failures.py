"""How a failure is told: one message, what to do next, and an exit code. Never a traceback unless asked for."""

import json
import sys
import traceback as tracebacks
from typing import NamedTuple

import click

from lockstep.model.errors import LockstepError, did_you_mean

INTERRUPTED = 130


class Failure(NamedTuple):
    """What is shown. kind: the class of the error, for programs."""

    message: str
    hint: str
    kind: str
    code: int


def describe(error: BaseException) -> Failure:
    """Any exception in plain words."""
    kind = type(error).__name__
    match error:
        case LockstepError():
            return Failure(str(error), error.hint, kind, error.exit_code)
        case click.exceptions.NoArgsIsHelpError():
            return Failure("", "", kind, 0)
        case click.UsageError():
            return Failure(_sentence(error), _usage_hint(error), "UsageError", 2)
        case click.ClickException():
            return Failure(_sentence(error), "", kind, error.exit_code)
        case click.Abort() | KeyboardInterrupt():
            return Failure("interrupted", "nothing half-written was left behind", "Interrupted", INTERRUPTED)
        case OSError() if error.strerror:
            where = f"{error.filename}: " if error.filename else ""
            return Failure(f"{where}{error.strerror.lower()}", "", kind, 1)
        case MemoryError():
            return Failure("out of memory", "use a shorter --start to --end, or fewer symbols", kind, 1)
    text = " ".join(str(error).split())
    return Failure(
        f"unexpected {kind}: {text}" if text else f"unexpected {kind}",
        "this is a fault in Lockstep: --traceback shows where; please report it with that",
        kind,
        1,
    )


def show(failure: Failure, error: BaseException, *, as_json: bool, traceback: bool) -> int:
    """Tell a failure on stderr, or as the one JSON object on stdout. Returns the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help())
        return failure.code
    if traceback:
        click.echo("".join(tracebacks.format_exception(error)).rstrip(), err=True)
    if as_json:
        click.echo(json.dumps({"error": failure.message, "hint": failure.hint, "type": failure.kind}, indent=1))
    else:
        click.echo(f"{_tag('error', 'red')}: {failure.message}", err=True)
        if failure.hint:
            click.echo(f"{_tag('hint', 'cyan')}: {failure.hint}", err=True)
    return failure.code


def wants_colour() -> bool:
    """Whether stderr may be coloured: a terminal, and NO_COLOR is not set (no-color.org)."""
    import os

    return not os.environ.get("NO_COLOR") and sys.stderr.isatty()


def _tag(word: str, colour: str) -> str:
    return click.style(word, fg=colour, bold=True) if wants_colour() else word


def _sentence(error: click.ClickException) -> str:
    """click's words in our form: no capital, no full stop, no list of guesses (the hint has the best one)."""
    text = error.message if isinstance(error, click.NoSuchOption) else error.format_message()
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _usage_hint(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        known = [name for param in error.ctx.command.params for name in param.opts if name.startswith("--")]
        return did_you_mean(error.option_name, known)
    path = error.ctx.command_path if error.ctx is not None else "lockstep"
    return f"{path} --help shows an example"
