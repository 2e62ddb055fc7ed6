"""`lockstep` itself: which commands there are, and how every one of them ends."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from lockstep._version import __version__
from lockstep.app.cli.failures import describe, show

_PACKAGE = "lockstep.app.cli"
COMMANDS = {
    "demo": "Backtest on real prices that ship with Lockstep, with a report.",
    "new": "Write a strategy to start from.",
    "validate": "Check a strategy without running it.",
    "backtest": "Run a strategy on recorded prices.",
    "play": "Play a run at any speed, with breakpoints and snapshots.",
    "run": "Run what a settings file says.",
    "replay": "Run a recording again, and prove that it decides the same.",
    "why": "Explain an order of a recording, from the event to its end.",
    "orders": "List the orders of a recording, and what became of them.",
    "runs": "List what was run, the newest first.",
    "report": "Write the report of a run, or put several side by side.",
    "portfolio": "Show the account of a run, and where its profit came from.",
    "risk": "See what the risk gate refused, and how near each limit came.",
    "config": "Check a settings file, and show what is in effect.",
    "data": "Show what data there is, and import more.",
    "journal": "Check a journal, show it, or write it out.",
    "research": "Score what Lockstep takes for true against recordings.",
    "doctor": "Check the environment, and say what to do.",
}
"""Name and one line of each, here so that the list is shown without loading any of them; a test compares the lines."""

EPILOG = """\b
Two commands to begin with:
  $ lockstep demo
  $ lockstep new my_strategy
"""


class CommandLine(click.Group):
    """The root: finds commands by name when they are called, and turns every failure into one message and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order of `--help`: that in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{_PACKAGE}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with our own words for an unknown name."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise unknown_command(args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A reader that has seen enough (`lockstep runs | head -1`) is no failure."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return code

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and exit with its code. `--traceback` counts wherever it stands."""
        words = list(sys.argv[1:] if args is None else args)
        ends = words.index("--") if "--" in words else len(words)
        traceback, as_json = "--traceback" in words[:ends], "--json" in words[:ends]
        words = [word for k, word in enumerate(words) if word != "--traceback" or k > ends]
        _replace_what_cannot_be_shown()
        try:
            code = super().main(words, "lockstep", complete_var, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as e:  # noqa: BLE001 - the last place where a failure can be worded
            sys.exit(show(describe(e), e, as_json=as_json, traceback=traceback))
        sys.exit(code if isinstance(code, int) else 0)


class Subcommands(click.Group):
    """The commands under another; an unknown one is answered as at the root."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with our own words for an unknown name."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_command(f"{self.name} {args[0]}", [f"{self.name} {name}" for name in self.commands])
        return super().resolve_command(ctx, args)


def unknown_command(word: str, known: Sequence[str] | dict[str, str]) -> Exception:
    """A usage error that says which command was meant."""
    from lockstep.model.errors import UsageError, did_you_mean

    return UsageError(f"unknown command {word!r}", hint=did_you_mean(word, known))


def _replace_what_cannot_be_shown() -> None:
    """A terminal that is not UTF-8 shows ? for what it lacks: output never fails for an accent."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


@click.group(
    cls=CommandLine,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="lockstep %(version)s")
@click.option(
    "--traceback", is_flag=True, expose_value=False, help="With any command: show where in the code an error arose."
)
def cli() -> None:
    """One strategy file, the same decisions everywhere.

    Every command takes --help, which ends in an example, and --json, which prints one object.
    """


def main() -> NoReturn:
    """The program `lockstep`."""
    cli.main()
