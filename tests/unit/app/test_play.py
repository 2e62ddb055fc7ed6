"""`lockstep play`: breaks, the prompt, snapshots, going on from one, an interrupt; and that the run stays the same run."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

SRC = Path(__file__).resolve().parents[3] / "src"
PROGRAM = "import sys; from lockstep.app.cli import main; sys.argv[0] = 'lockstep'; main()"
Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]
APPLE = ("--data", "us_stocks", "--symbol", "AAPL")
PROMPT = "quit:"


@pytest.fixture
def lines(call: Call) -> Callable[..., list[dict[str, Any]]]:
    """Call with --json and give each line's object."""

    def invoke(*words: str, code: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in call(*words, "--json", code=code).stdout.splitlines()]

    return invoke


def hash_of(call_json: CallJson, strategy: str) -> str:
    run_hash: str = call_json("backtest", strategy, *APPLE, "--no-sensitivity", "--no-save")["run_hash"]
    return run_hash


class Terminal:
    """The command in a terminal of its own, so that it asks and shows."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.controller, terminal = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(SRC), "TERM": "xterm", "COLUMNS": "200", "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], cwd=folder, env=environment,
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        self.said = ""

    def until(self, words: str) -> str:
        """What is said until these words, for at most a minute."""
        deadline = time.monotonic() + 60
        start = len(self.said)
        while words not in self.said[start:]:
            assert time.monotonic() < deadline, self.said
            if select.select([self.controller], [], [], 0.2)[0] and not self._read():
                break
        assert words in self.said[start:], self.said
        return self.said[start:]

    def _read(self) -> bool:
        try:
            piece = os.read(self.controller, 65_536)
        except OSError:  # the other end is closed
            return False
        self.said += piece.decode().replace("\r\n", "\n")
        return bool(piece)

    def types(self, text: str) -> None:
        os.write(self.controller, text.encode() + b"\n")

    def ends(self, press: Callable[[], object] = lambda: None) -> tuple[int, str]:
        """(exit code, everything said), within a minute.

        press: done, and done again while nothing more is said: a key or signal that comes after the prompt was written but
        before the process waits for a line is lost, as it is to a person, who presses again.
        """
        deadline = time.monotonic() + 60
        press()
        pressed = time.monotonic()
        while True:
            if select.select([self.controller], [], [], 0.2)[0]:
                if not self._read():
                    break
            elif time.monotonic() - pressed > 3:
                assert time.monotonic() < deadline, self.said
                press()
                pressed = time.monotonic()
        os.close(self.controller)
        return self.process.wait(timeout=60), self.said


def test_play_ends_as_backtest_does_and_keeps_the_same_run(call: Call, call_json: CallJson, ema_cross: str) -> None:
    expected = hash_of(call_json, ema_cross)
    said = call("play", ema_cross, *APPLE, code=0).stdout
    assert f"Next    lockstep report {expected[:12]}" in said
    assert Path("runs", expected, "manifest.json").is_file()
    manifest = json.loads(Path("runs", expected, "manifest.json").read_text())
    assert manifest["command"] == f"lockstep backtest {ema_cross} --data us_stocks --symbol AAPL"


def test_break_off_a_terminal_prints_the_state_and_goes_on(call: Call, ema_cross: str) -> None:
    said = call("play", ema_cross, *APPLE, "--break-at", "2010-01-04", "--no-save", code=0).stdout
    for part in (
        "break      every event up to 2010-01-04T00:00:00Z has been handled", "clock      2009-12-31T21:00:00Z",
        "account    equity", "counts     2,477 events", "last       AAPL bar 2009-12-31T21:00:00Z: open 213.13",
        "position   EmaCross", "strategy   EmaCross:", "Total return",
    ):  # fmt: skip
        assert part in said, part


def test_json_is_a_line_for_each_break_and_the_run_as_the_last(
    lines: Callable[..., list[dict[str, Any]]], call_json: CallJson, ema_cross: str
) -> None:
    expected = hash_of(call_json, ema_cross)
    *breaks, run = lines(
        "play", ema_cross, *APPLE, "--break-on", "fill", "--break-when", "equity < 95_000", "--no-save"
    )
    assert run["run_hash"] == expected
    assert len(breaks) >= run["fills"] > 100
    assert {entry["break"] for entry in breaks} <= {"fill", "condition"}
    assert breaks[0]["counts"]["fills"] == 1
    assert breaks[0]["positions"][0]["symbol"] == "AAPL"


def test_snapshot_is_written_at_its_time_and_the_run_goes_on_from_it(
    lines: Callable[..., list[dict[str, Any]]], call: Call, call_json: CallJson, ema_cross: str
) -> None:
    expected = hash_of(call_json, ema_cross)
    words = ("play", ema_cross, *APPLE, "--no-save")
    said = call(*words, "--snapshot", "x.snapshot", "--snapshot-at", "2005-06-01", code=0).stdout
    assert "snapshot   x.snapshot at 2005-05-31T20:00:00Z" in said
    (run,) = lines(*words, "--restore", "x.snapshot")
    assert run["run_hash"] == expected
    *breaks, run = lines(*words, "--restore", "x.snapshot", "--break-at", "2005-06-02", "--snapshot", "x.snapshot")
    assert breaks[0]["time"] == "2005-06-01T20:00:00Z"
    assert (run["run_hash"], run["snapshot"]) == (expected, None)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--speed", "fast"), "--speed was 'fast'", "10x"),
        (("--speed", "0x"), "--speed was '0x'", "10x"),
        (("--break-at", "1990-01-01"), "no break at 1990-01-01T00:00:00Z: the run goes from 2000-03-01", "in between"),
        (("--break-at", "2030-01-01"), "no break at 2030-01-01T00:00:00Z", "in between"),
        (("--break-at", "tomorrow"), "--break-at is not an ISO date", "2018-01-31"),
        (("--break-when", "equity <"), "is no Python expression", "for example"),
        (("--break-when", "s.buy(1)"), "calls s.buy", "nothing of a strategy"),
        (("--break-when", "s.nothing > 1"), "has no attribute 'nothing'", "on_start"),
        (("--break-on", "fil"), "no break on 'fil'", "did you mean 'fill'"),
        (("--snapshot-at", "2010-01-01"), "nothing says where", "--snapshot FILE"),
        (("--snapshot", "nowhere/x"), "not a writable folder", ""),
        (("--snapshot", "."), "is a folder", "name a file"),
        (("--restore", "none"), "there is no snapshot none", "--snapshot FILE"),
        (("--restore", "ema_cross.py"), "is no snapshot of a run", ""),
        (("--snapshot", "x", "--snapshot-at", "2030-01-01"), "no snapshot at 2030-01-01T00:00:00Z", "in between"),
    ],
)
def test_what_cannot_be_is_refused_before_the_run(
    call: Call, ema_cross: str, words: tuple[str, ...], message: str, hint: str
) -> None:
    result = call("play", ema_cross, *APPLE, *words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert hint in result.stderr
    assert "Total return" not in result.stdout
    assert not Path("runs").exists()


def test_snapshot_of_another_run_is_refused_by_what_differs(
    call: Call, strategy: Callable[..., str], ema_cross: str
) -> None:
    words = (*APPLE, "--no-save")
    call("play", ema_cross, *words, "--snapshot", "x", "--snapshot-at", "2005-06-01", code=0)
    changed = strategy(Path(ema_cross).read_text() + "\n# changed\n", "changed.py")
    for other, said in (
        (("play", changed, *words), "the source of EmaCross has changed"),
        (
            ("play", ema_cross, "--data", "us_stocks", "--symbol", "IBM"),
            "its data are AAPL.US (bars); these are IBM.US",
        ),
        (("play", ema_cross, *words, "--cash", "5000"), 'configuration cash was "100000", is "5000"'),
        (("play", ema_cross, *words, "--param", "fast=9"), 'EmaCross\'s parameters: fast was "10", is "9"'),
    ):
        result = call(*other, "--restore", "x", code=1)
        assert said in result.stderr


def test_attribute_that_cannot_be_saved_is_told_before_the_run(call: Call, strategy: Callable[..., str]) -> None:
    odd = "from lockstep import Strategy\n\n\nclass Odd(Strategy):\n    def on_start(self):\n        self.f = object()\n\n    def on_bar(self, bar):\n        print('bar')\n"
    result = call("play", strategy(odd), *APPLE, "--snapshot", "x", "--no-save", code=1)
    assert "self.f cannot be saved" in result.stderr
    assert "bar\n" not in result.stdout
    assert not Path("x").exists()


def test_what_a_strategy_prints_stays_out_of_the_json(lines: Any, strategy: Callable[..., str]) -> None:
    loud = (
        "from lockstep import Strategy\n\n\nclass Loud(Strategy):\n    def on_bar(self, bar):\n        print('hello')\n"
    )
    *_, run = lines("play", strategy(loud), *APPLE, "--no-save", "--break-at", "2010-01-04")
    assert run["events"] == 3275


def test_prompt_steps_prints_writes_and_goes_on(
    tmp_path: Path, call_json: CallJson, lines: Any, ema_cross: str
) -> None:
    expected = hash_of(call_json, ema_cross)
    at = Terminal(tmp_path, "play", ema_cross, *APPLE, "--no-save", "--break-at", "2005-06-01")
    assert "clock      2005-05-31T20:00:00Z" in at.until(PROMPT)
    at.types("s")
    assert "2005-06-01T20:00:00Z  AAPL" in at.until(PROMPT)
    at.types("p")
    assert "account    equity" in at.until(PROMPT)
    at.types("w")
    assert "w needs a file" in at.until(PROMPT)
    at.types("w no/where")
    assert "not a writable folder" in at.until(PROMPT)
    at.types("x")
    assert "'x' is none of these" in at.until(PROMPT)
    at.types("w typed.snapshot")
    assert "snapshot   typed.snapshot at 2005-06-01T20:00:00Z" in at.until(PROMPT)
    at.types("")
    code, said = at.ends()
    assert code == 0
    assert f"Run     {expected[:12]}" in said
    (run,) = lines("play", ema_cross, *APPLE, "--no-save", "--restore", "typed.snapshot")
    assert run["run_hash"] == expected


def test_quit_stops_with_a_snapshot_and_the_line_to_go_on(
    tmp_path: Path, call_json: CallJson, lines: Any, ema_cross: str
) -> None:
    at = Terminal(tmp_path, "play", ema_cross, *APPLE, "--snapshot", "q.snapshot", "--break-at", "2005-06-01")
    at.until(PROMPT)
    at.types("q")
    code, said = at.ends()
    assert code == 0
    assert "stopped    2005-05-31T20:00:00Z, between two events" in said
    assert f"go on      lockstep play {ema_cross} --data us_stocks --symbol AAPL --restore q.snapshot" in said
    assert "Total return" not in said
    (run,) = lines("play", ema_cross, *APPLE, "--no-save", "--restore", "q.snapshot")
    assert run["run_hash"] == hash_of(call_json, ema_cross)


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_interrupt_or_end_of_input_at_the_prompt_stops_cleanly(tmp_path: Path, ema_cross: str, key: str) -> None:
    at = Terminal(tmp_path, "play", ema_cross, *APPLE, "--snapshot", "q.snapshot", "--break-at", "2005-06-01")
    at.until(PROMPT)
    if key == "\x03":
        code, said = at.ends(lambda: at.process.send_signal(signal.SIGINT))
    else:
        code, said = at.ends(lambda: os.write(at.controller, key.encode()))
    assert code == 130
    assert "snapshot   q.snapshot at 2005-05-31T20:00:00Z" in said
    assert "error: interrupted" in said
    assert "Traceback" not in said


def test_interrupt_while_playing_stops_between_two_events_and_can_be_gone_on_from(
    tmp_path: Path, call_json: CallJson, lines: Any, ema_cross: str
) -> None:
    expected = hash_of(call_json, ema_cross)
    words = ("play", ema_cross, *APPLE, "--snapshot", "i.snapshot", "--speed", "2000000x")
    at = Terminal(tmp_path, *words)
    at.until("equity ")  # the live line
    at.process.send_signal(signal.SIGINT)
    code, said = at.ends()
    assert code == 130
    assert "between two events" in said
    assert "--restore i.snapshot" in said
    (run,) = lines("play", ema_cross, *APPLE, "--no-save", "--restore", "i.snapshot")
    assert run["run_hash"] == expected
