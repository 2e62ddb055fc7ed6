"""`lockstep play`: a backtest to look at while it runs, at any speed, with breakpoints and snapshots."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

from lockstep.app.cli.backtest import backtest_of, line_of, next_line
from lockstep.app.cli.options import Command, examples, run_options, runs_option

if TYPE_CHECKING:
    from lockstep.app.cli.console import RunProgress
    from lockstep.app.cli.launch import Finished
    from lockstep.run.backtest import Playing
    from lockstep.run.playback import Pause, Player, Then
    from lockstep.run.standing import Standing

EXAMPLES = examples(
    "lockstep new my_strategy --force",
    "lockstep play my_strategy.py --data us_stocks --symbol AAPL --break-at 2010-01-04 --snapshot aapl.snapshot --snapshot-at 2010-01-04",
    "lockstep play my_strategy.py --data us_stocks --symbol AAPL --restore aapl.snapshot --break-when 'equity > 130_000' --json",
)  # fmt: skip
_PROMPT = "Enter go on, s step, p print, w FILE write a snapshot, q quit"
_LIVE_EVERY_SECONDS = 0.1


@click.command("play", cls=Command, epilog=EXAMPLES)
@click.argument("strategy", metavar="STRATEGY.py")
@run_options
@click.option("--speed", default="max", show_default=True, metavar="SPEED", help="max, or a multiple of real time: 1x, 10x, 0.5x.")  # fmt: skip
@click.option("--break-at", multiple=True, metavar="TIME", help="Stop when every event up to then was handled; repeatable.")  # fmt: skip
@click.option("--break-when", multiple=True, metavar="EXPR", help="Stop when this begins to hold, as in 'equity < 90000'; repeatable.")  # fmt: skip
@click.option("--break-on", multiple=True, metavar="WHAT", help="Stop at each fill, order or signal; repeatable.")
@click.option("--snapshot", type=click.Path(path_type=Path), metavar="FILE", help="Write the whole state there: at --snapshot-at, else when stopped before the end.")  # fmt: skip
@click.option("--snapshot-at", metavar="TIME", help="When to write it: every event up to then was handled.")
@click.option("--restore", type=click.Path(path_type=Path), metavar="FILE", help="Go on from a snapshot of this very run.")  # fmt: skip
@runs_option
@click.option("--no-save", is_flag=True, help="Keep nothing in the folder of runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead: a line for each break, then the run as the last.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Play a run at any speed, with breakpoints and snapshots.

    The outcome is that of `lockstep backtest`, to the same run hash, however it is played. In a terminal a break waits
    for a key; elsewhere it prints the state and goes on. Ctrl-C stops between two events.
    """
    from lockstep.app.cli.console import prints_aside
    from lockstep.run.condition import Condition
    from lockstep.run.playback import Breaks, speed_of

    speed = speed_of(given["speed"])
    breaks = Breaks(
        at=[_moment(text, "--break-at") for text in given["break_at"]],
        when=[Condition(text) for text in given["break_when"]],
        on=given["break_on"],
    )
    table = Table(ctx, given, sys.stdout)
    with prints_aside(given["as_json"]):
        table.play(speed, breaks)


class Table:
    """What stands around a player at the command line: where it prints, what is asked, and where snapshots go."""

    def __init__(self, ctx: click.Context, given: dict[str, Any], out: TextIO) -> None:
        """out: where results go. Raises: UsageError: a snapshot that could not be written."""
        from lockstep.model.errors import UsageError
        from lockstep.run.snapshot import check_place

        self._ctx, self._given, self._out = ctx, given, out
        self._as_json: bool = given["as_json"]
        self._asks = not self._as_json and sys.stdin.isatty() and out.isatty()
        self._written: Path | None = None
        self._file: Path | None = given["snapshot"]
        if given["snapshot_at"] is not None and self._file is None:
            raise UsageError("--snapshot-at says when, and nothing says where", hint="add --snapshot FILE")
        self._marks = [] if given["snapshot_at"] is None else [_moment(given["snapshot_at"], "--snapshot-at")]
        if self._file is not None:
            check_place(self._file)

    def play(self, speed: float | None, breaks: Any) -> None:
        """Play it, and say what came of it. Raises: KeyboardInterrupt: it was interrupted, and stopped cleanly."""
        from lockstep.app.cli.console import RunProgress
        from lockstep.run import snapshot
        from lockstep.run.playback import Player

        silent = speed is None and not (breaks.at or breaks.when or breaks.on)
        with RunProgress() as progress:
            held = snapshot.read(self._given["restore"]) if self._given["restore"] is not None else None
            backtest = backtest_of(self._given, progress.reading)
            tell = progress.events if silent else None
            playing = backtest.begin(tell) if held is None else snapshot.resume(backtest, held, tell)
            if self._file is not None:
                snapshot.take(playing)  # an attribute that cannot be saved is told now
            if not silent:
                progress.pause()
            live = LiveLine(playing, shown=speed is not None and not self._as_json)
            player = Player(
                playing, speed=speed, breaks=breaks, marks=self._marks, on_wait=live.renew,
                on_mark=lambda _: self._write(playing, self._file),
                on_pause=lambda pause: self._break(pause, player, live, interrupts),
            )  # fmt: skip
            with Interrupts(player) as interrupts, live:
                ended = player.play()
            run = self._kept(playing, progress) if ended else None
        if run is None:
            self._stopped(playing, interrupts.seen)
        else:
            self._show(run)

    # ---- at a break

    def _break(self, pause: "Pause", player: "Player", live: "LiveLine", interrupts: "Interrupts") -> "Then":
        from lockstep.app.cli.state_lines import state_lines
        from lockstep.run.playback import Then

        facts = player.standing.facts()
        if self._as_json:
            click.echo(
                json.dumps({"break": pause.kind, "words": pause.words, **facts}, allow_nan=False), file=self._out
            )
            return Then.GO
        with live.aside():
            if pause.kind == "step":
                self._say(live.line())
            else:
                self._say(f"\nbreak      {pause.words}", "bold")
                self._say("\n".join(state_lines(facts)))
            return self._ask(player, interrupts) if self._asks else Then.GO

    def _ask(self, player: "Player", interrupts: "Interrupts") -> "Then":
        from lockstep.run.playback import Then

        while True:
            try:
                with interrupts.raised():
                    typed = click.prompt(_PROMPT, default="", show_default=False, prompt_suffix=": ").strip()
            except click.Abort:  # Ctrl-C, or the end of the input
                interrupts.seen = True
                return Then.STOP
            answers = {"": Then.GO, "s": Then.STEP, "q": Then.STOP}
            if typed in answers:
                return answers[typed]
            self._do(typed, player)

    def _do(self, typed: str, player: "Player") -> None:
        """What is typed at the prompt and does not go on."""
        from lockstep.app.cli.state_lines import state_lines

        word, _, rest = typed.partition(" ")
        if typed == "p":
            self._say("\n".join(state_lines(player.standing.facts())))
        elif word == "w" and rest.strip():
            self._try_to_write(player.playing, Path(rest.strip()))
        elif word == "w":
            self._say("w needs a file: w run.snapshot")
        else:
            self._say(f"{typed!r} is none of these")

    def _try_to_write(self, playing: "Playing", file: Path) -> None:
        """At the prompt a place that cannot be written is told, and is not the end."""
        from lockstep.model.errors import LockstepError
        from lockstep.run.snapshot import check_place

        try:
            check_place(file)
            self._write(playing, file)
        except (LockstepError, OSError) as e:
            self._say(str(e))

    def _write(self, playing: "Playing", file: Path | None) -> None:
        from lockstep.run import snapshot
        from lockstep.store.catalog.times import time_text

        if file is None:
            return
        held = snapshot.take(playing)
        snapshot.write(held, file)
        self._written = file
        self._say(f"snapshot   {file} at {time_text(held.clock)}")

    # ---- at the end

    def _kept(self, playing: "Playing", progress: "RunProgress") -> "Finished":
        from lockstep.app.cli.launch import finish

        root = None if self._given["no_save"] else self._given["root"]
        return finish(playing.end(), progress, command=line_of(self._ctx), root=root)

    def _show(self, run: "Finished") -> None:
        from lockstep.app.cli.console import say, screen
        from lockstep.app.cli.outcome_table import show_outcome, show_places

        if self._as_json:
            click.echo(json.dumps(run.as_json() | {"snapshot": _text(self._written)}, allow_nan=False), file=self._out)
            return
        console = screen()
        show_outcome(console, run)
        show_places(console, run)
        if run.folder is not None:
            say(console, f"Next    {next_line(run.facts['run_hash'], self._given['root'])}", "cyan")

    def _stopped(self, playing: "Playing", interrupted: bool) -> None:
        """It stands between two events: the snapshot, and how to go on from it."""
        from lockstep.store.catalog.times import time_text

        clock = playing.engine.state.clock
        if self._written is None:
            self._write(playing, self._file)
        if self._as_json and not interrupted:
            click.echo(json.dumps({"stopped": time_text(clock), "snapshot": _text(self._written)}), file=self._out)
        self._say(f"stopped    {time_text(clock)}, between two events")
        if self._written is not None:
            self._say(f"go on      {line_of(self._ctx, 'play')} --restore {self._written}")
        if interrupted:
            raise KeyboardInterrupt

    def _say(self, text: str, style: str = "") -> None:
        from lockstep.app.cli.console import say, screen

        if not self._as_json:
            say(screen(), text, style)


def _moment(text: str, option: str) -> int:
    from lockstep.run.settings.moment import moment_ns

    return moment_ns(text, option)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


class Interrupts:
    """Ctrl-C stops the player between two events; a second one, or one at the prompt, breaks off at once."""

    def __init__(self, player: "Player") -> None:
        self._player = player
        self.seen = False
        self._raise = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        again, self.seen = self.seen, True
        if again or self._raise:
            raise KeyboardInterrupt
        self._player.stop()

    @contextmanager
    def raised(self) -> Iterator[None]:
        """While a key is waited for."""
        self._raise = True
        try:
            yield
        finally:
            self._raise = False


class LiveLine:
    """One line on stderr, renewed a few times a second: clock, prices, positions, equity. Nothing where no terminal looks on."""

    def __init__(self, playing: "Playing", *, shown: bool) -> None:
        from lockstep.run.standing import Standing

        self._standing: Standing = Standing(playing)
        self._symbols = [instrument.symbol for instrument in playing.backtest.instruments]
        self._live: Any = None
        self._due = 0.0
        self._monotonic: Callable[[], float] | None = None
        if shown and sys.stderr.isatty():
            import time

            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True)
            self._monotonic = time.monotonic

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def renew(self) -> None:
        """Show where the run stands, unless it was shown a moment ago."""
        if self._live is None or self._monotonic is None or self._monotonic() < self._due:
            return
        from rich.text import Text

        self._due = self._monotonic() + _LIVE_EVERY_SECONDS
        self._live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)

    def line(self) -> str:
        """What is shown."""
        return live_line(self._standing, self._symbols)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is printed."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()


def live_line(standing: "Standing", symbols: list[str]) -> str:
    """Clock, price and position of the first symbols, equity."""
    held = "  ".join(
        f"{symbol} {standing.last_price(symbol):,.6g} x {standing.position(symbol):g}" for symbol in symbols[:3]
    )
    return f"{standing.time}  {held}  equity {standing.equity:,.2f}"
