"""`lockstep backtest`: figures, what decides the hash, why nothing was traded, and how a run is broken off."""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

SRC = Path(__file__).resolve().parents[3] / "src"
PROGRAM = "import sys; from lockstep.app.cli import main; sys.argv[0] = 'lockstep'; main()"
Row = list[str]
Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]
REQUIRED = {
    "run_hash", "events", "orders", "fills", "trades", "total_return", "sharpe", "max_drawdown", "final_equity",
    "seconds", "compiled", "decision_hash", "notice", "warnings", "report", "folder", "command",
}  # fmt: skip


def on_bar(body: str, *, declared: str = "pass") -> str:
    return (
        "from lockstep import EMA, SMA, Strategy\n\n\nclass Mine(Strategy):\n    def on_start(self):\n"
        f"        {declared}\n\n    def on_bar(self, bar):\n        {body}\n"
    )


def test_backtest_with_json_prints_one_object_with_every_figure(call_json: CallJson, ema_cross: str) -> None:
    run = call_json("backtest", ema_cross, "--data", "us_stocks", "--symbol", "AAPL", "--no-sensitivity")
    assert set(run) >= REQUIRED
    assert run["orders"] == run["fills"] > 100
    assert run["final_equity"] == pytest.approx(100_000 * (1 + run["total_return"]))
    assert run["report"] is None
    assert Path(run["folder"], "manifest.json").is_file()


def test_quiet_backtest_prints_nothing_and_what_a_strategy_prints_is_logged(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(on_bar("print('bar of', bar.symbol)"))
    words = (
        "backtest",
        "mine.py",
        "--data",
        "us_stocks",
        "--symbol",
        "FB",
        "--no-save",
        "--no-sensitivity",
        "--logs",
        "said",
    )
    done = call(*words, "--quiet", code=0)
    assert done.stdout == done.stderr == ""
    said = [json.loads(line)["message"] for line in Path("said", "system.log").read_text().splitlines()]
    assert said[1:-1] == ["bar of FB"] * (len(said) - 2)
    assert len(said) > 100


def test_backtest_shows_figures_hash_and_the_next_command(call: Call, ema_cross: str) -> None:
    said = call("backtest", ema_cross, "--data", "us_stocks", "--symbol", "AAPL", "--no-sensitivity", code=0).stdout
    for part in ("EmaCross on AAPL", "fast 10, slow 20", "Total return", "Max drawdown", "buy and hold", "Fees"):
        assert part in said
    assert "Next    lockstep report " in said


SAME = ("--report", "page.html"), ("--no-save",), ("--runs", "elsewhere"), ("--param", "fast=10"), ("--seed", "0")
OTHER = (
    ("--param", "fast=11"),
    ("--fee", "0.1%"),
    ("--slippage-bps", "2"),
    ("--cash", "50000"),
    ("--leverage", "2"),
    ("--latency", "2d"),
    ("--seed", "1"),
    ("--start", "2001-01-01"),
    ("--end", "2012-01-01T00:00+01:00"),
    ("--limit-fill", "touch"),
    ("--bar-path", "optimistic"),
    ("--participation", "none"),
    ("--max-order-qty", "50"),
    ("--max-position", "50.0"),
    ("--volume-impact", "0.1"),
)


@pytest.mark.slow
def test_run_hash_depends_on_what_decides_the_result_and_on_nothing_else(call_json: CallJson, ema_cross: str) -> None:
    words = ("backtest", ema_cross, "--data", "us_stocks", "--symbol", "IBM", "--no-sensitivity")
    plain = call_json(*words)["run_hash"]
    assert {call_json(*words, *more)["run_hash"] for more in SAME} == {plain}
    others = [call_json(*words, *more)["run_hash"] for more in OTHER]
    assert len({plain, *others}) == 1 + len(OTHER)


def test_run_hash_is_the_same_in_any_process_compiled_or_not(ema_cross: str, tmp_path: Path) -> None:
    words = ["backtest", ema_cross, "--data", "us_stocks", "--symbol", "IBM", "--no-sensitivity", "--no-save", "--json"]
    hashes = set()
    for seed, pure in (("1", ""), ("2", ""), ("3", "1")):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(SRC), "PYTHONHASHSEED": seed, "LOCKSTEP_PURE": pure}, timeout=120,
        )  # fmt: skip
        run = json.loads(done.stdout)
        assert not (pure and run["compiled"])
        hashes.add((run["run_hash"], run["decision_hash"], run["final_equity"]))
    assert len(hashes) == 1


def test_account_that_goes_under_still_has_figures(
    call: Call, call_json: CallJson, strategy: Callable[..., str]
) -> None:
    mine = strategy(on_bar("self.position or self.buy(self.size(45))"))
    words = ("backtest", mine, "--data", "us_stocks", "--symbol", "FB", "--leverage", "50", "--participation", "none")
    run = call_json(*words, "--no-sensitivity")
    assert run["final_equity"] < 0
    assert any("fell to 0 or below" in warning for warning in run["warnings"])
    assert "Total return" in call(*words, code=0).stdout


@pytest.mark.slow
def test_command_kept_with_a_run_reproduces_it(call_json: CallJson, ema_cross: str) -> None:
    run = call_json(
        "backtest", ema_cross, "--data", "us_stocks", "--symbol", "IBM", "--symbol", "FB", "--param", "slow=50",
        "--fee", "0.02%/0.05% + 1/order", "--end", "2012-12-31", "--json", "--no-sensitivity", "--no-save",
    )  # fmt: skip
    words = shlex.split(run["command"])
    assert words[:3] == ["lockstep", "backtest", ema_cross]
    assert "--no-save" not in words
    assert call_json(*words[1:])["run_hash"] == run["run_hash"]


def test_no_save_keeps_nothing_but_the_report_asked_for(call_json: CallJson, ema_cross: str, tmp_path: Path) -> None:
    run = call_json(
        "backtest", ema_cross, "--data", "us_stocks", "--symbol", "FB", "--no-save", "--report", "out/page.html"
    )
    assert run["folder"] is None
    assert run["report"] == "out/page.html"
    assert (tmp_path / "out" / "page.html").is_file()
    assert not (tmp_path / "runs").exists()


def test_fee_given_replaces_the_instruments_own(call_json: CallJson, ema_cross: str) -> None:
    words = ("backtest", ema_cross, "--data", "us_stocks", "--symbol", "IBM", "--no-sensitivity")
    assert call_json(*words, "--fee", "0")["fees"] == 0.0
    run = call_json(*words, "--fee", "1/order")
    assert run["fees"] == pytest.approx(run["fills"])


QUIET: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "never ready": (
        on_bar("self.buy(1)", declared="self.slow = self.indicator(SMA(100))"), (),
        ("no orders", "never ready", "60 bars", "100 are needed"),
    ),
    "never true": (on_bar("bar.close < 0 and self.buy(1)"), (), ("no orders", "called 60 times", "never true")),
    "never true after warm-up": (
        on_bar("pass", declared="self.slow = self.indicator(SMA(11))"), (), ("called 50 times",),
    ),
    "other handler alone": (
        "from lockstep import Strategy\n\n\nclass Mine(Strategy):\n    def on_timer(self, timer):\n        self.buy(1)\n",
        (), ("no orders", "has no on_bar"),
    ),
    "all denied by position": (
        on_bar("self.buy(100)"), ("--max-position", "10"),
        ("no orders: risk refused all 60 (60 x position)", "--max-position"),
    ),
    "all denied by money": (on_bar("self.buy(1e6)"), (), ("60 x buying power", "--cash")),
    "never filled": (
        on_bar("self.open_orders or self.buy(1, limit='0.01')"), (),
        ("no fills: 1 orders were sent", "1 still working when the data ended"),
    ),
    "expired": (
        on_bar("self.open_orders or self.buy(1, limit='0.01', tif='IOC')"), (), ("no fills", "orders were sent"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", QUIET)
def test_run_that_trades_nothing_says_why_and_is_no_failure(
    case: str,
    call: Call,
    call_json: CallJson,
    apple: list[Row],
    prices: Callable[..., str],
    strategy: Callable[..., str],
) -> None:
    source, options, says = QUIET[case]
    words = ("backtest", strategy(source), "--data", prices(apple), *options)
    run = call_json(*words)
    assert run["fills"] == 0
    for part in says:
        assert part in run["notice"], run["notice"]
    shown = call(*words, code=0).stdout
    assert f"note: {run['notice']}" in shown.replace("\n", " ")


def test_run_that_trades_has_no_notice(call: Call, call_json: CallJson, ema_cross: str) -> None:
    words = ("backtest", ema_cross, "--data", "us_stocks", "--symbol", "FB", "--no-sensitivity")
    assert call_json(*words)["notice"] is None
    assert "note:" not in call(*words, code=0).stdout


def test_interrupted_run_ends_with_130_and_leaves_nothing(
    tmp_path: Path, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    mine = strategy(on_bar("import os, signal; os.kill(os.getpid(), signal.SIGINT)"))
    # A suite started in the background has the interrupt ignored, and what it starts inherits that.
    heeding = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", heeding, "backtest", mine, "--data", prices(apple)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 130
    assert done.stderr.strip().splitlines()[0] == "error: interrupted"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_interrupt_while_the_results_are_written_leaves_nothing_half_written(
    call: Call, ema_cross: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lockstep.run import results

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "trade_columns", interrupted)
    call("backtest", ema_cross, "--data", "us_stocks", "--symbol", "FB", "--no-sensitivity", code=130)
    assert list((tmp_path / "runs").iterdir()) == []


def test_strategy_that_prints_leaves_the_json_object_alone_on_stdout(
    call: Call, apple: list[Row], prices: Callable[..., str], strategy: Callable[..., str]
) -> None:
    mine = strategy(on_bar("print('a bar'); self.position or self.buy(1)"))
    result = call("backtest", mine, "--data", prices(apple), "--no-sensitivity", "--json", code=0)
    assert json.loads(result.stdout)["fills"] == 1
    assert result.stderr.count("a bar") == len(apple)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_progress_is_shown_on_a_terminal_and_only_on_stderr(
    flags: tuple[str, ...], tmp_path: Path, ema_cross: str
) -> None:
    controller, terminal = pty.openpty()
    words = ["backtest", ema_cross, "--data", "us_stocks", *flags]
    environment = {**os.environ, "PYTHONPATH": str(SRC), "TERM": "xterm-256color", "COLUMNS": "100"}
    # To a file: a pipe read to its end first would leave the terminal's small buffer full, and both waiting.
    out = tmp_path / "stdout"
    with out.open("wb") as target:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], cwd=tmp_path, env=environment, stdout=target, stderr=terminal
        )
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(controller, 65_536)
        except OSError:  # the terminal's other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(controller)
    assert process.wait(timeout=60) == 0
    said = out.read_bytes()
    assert b"%" in shown
    assert b"reading" in shown
    assert b"reading" not in said
    if flags:
        json.loads(said)
