"""The log of a run: every decision is in it once and in order, it is never in the way, and what fails is counted."""

import json
import logging
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockstep.app.cli.demo import STRATEGY
from lockstep.model.errors import StrategyFault, UsageError
from lockstep.risk.limits import RiskLimits
from lockstep.run.backtest import Backtest
from lockstep.run.config import BacktestConfig
from lockstep.run.logs import log as log_module
from lockstep.run.logs.entries import MESSAGE_MAX, Entry, entry_of, line_of, nano_text
from lockstep.run.logs.files import StreamFile
from lockstep.run.logs.levels import Levels, levels_from_text
from lockstep.run.logs.log import RunLog, component_of
from lockstep.run.logs.session import run_logged
from lockstep.run.strategy_file import load_strategy
from lockstep.run.tables import order_blocks
from lockstep.store.catalog.readers import read_market_data

FAULTY = """
import logging
from lockstep import Strategy, Bar

log = logging.getLogger(__name__)

class Faulty(Strategy):
    count = 0

    def on_bar(self, bar: Bar) -> None:
        self.count += 1
        if self.count == 3:
            self.buy(10)
            log.info("bought %d", 10, extra={"data": {"close": bar.close}})
        if self.count == 9:
            raise ValueError("enough")
"""


def shipped(path: Path | str = STRATEGY, symbols: tuple[str, ...] = ("AAPL", "IBM")) -> Backtest:
    return Backtest(load_strategy(path), read_market_data("us_stocks", symbols=symbols), BacktestConfig())


def lines(folder: Path, stream: str) -> list[dict[str, Any]]:
    path = folder / f"{stream}.log"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_log_of_a_run_holds_every_order_event_once_and_in_order(tmp_path: Path) -> None:
    log = RunLog(tmp_path, Levels(logging.DEBUG))
    outcome = run_logged(shipped(), log)
    expected = [
        (record, ident)
        for block in order_blocks(outcome)
        for record, ident in zip(block["record"], block["order_id"].tolist(), strict=True)
    ]
    assert len(expected) > 400
    traded = [pair for pair in expected if pair[0] in ("fill", "partial")]
    ordered = [pair for pair in expected if pair not in set(traded)]
    assert [(line["event_type"], line["order_id"]) for line in lines(tmp_path, "trades")] == traded
    assert [(line["event_type"], line["order_id"]) for line in lines(tmp_path, "orders")] == ordered
    assert log.counts()["orders"] == len(ordered)
    assert log.counts()["lost"] == log.counts()["dropped"] == 0


def test_kill_switch_and_refusals_are_told_with_their_numbers_and_a_kill_is_an_error(tmp_path: Path) -> None:
    limits = RiskLimits(order_notional_max=Decimal(19_000), drawdown_max=Decimal("0.03"))
    data = read_market_data("us_stocks", symbols=("AAPL", "IBM"))
    log = RunLog(tmp_path, Levels(logging.DEBUG))
    outcome = run_logged(Backtest(load_strategy(STRATEGY), data, BacktestConfig(limits=limits)), log)
    (kill,) = lines(tmp_path, "errors")
    assert (kill["level"], kill["component"], kill["event_type"]) == ("CRITICAL", "risk", "kill")
    (act,) = outcome.engine.state.desk.acts
    assert kill["message"] == f"kill: drawdown {act.actual:.10g}, limit 0.03 by system"
    assert kill["data"]["actual"] == act.actual
    refusals = [line for line in lines(tmp_path, "orders") if line["event_type"] == "refusal"]
    assert {line["data"]["rule"] for line in refusals} == {"order_notional", "kill_switch"}
    first = refusals[0]
    said = f"refusal of order {first['order_id']}: {first['symbol']} order notional {first['data']['actual']:.10g}, limit 19000"
    assert first["message"] == said
    assert any(line["event_type"] == "warning" and line["level"] == "WARNING" for line in lines(tmp_path, "orders"))


def test_what_an_order_shows_is_told_with_the_orders_before_it(tmp_path: Path) -> None:
    file = tmp_path / "partly.py"
    file.write_text(FAULTY.replace("self.buy(10)", "self.buy(10, limit=1, display_qty=4)").replace("== 9", "< 0"))
    run_logged(shipped(file, ("IBM",)), RunLog(tmp_path, Levels(logging.DEBUG)))
    shown, sent = lines(tmp_path, "orders")[:2]
    assert (shown["event_type"], shown["component"], shown["level"]) == ("display", "orders", "DEBUG")
    assert shown["message"] == "display of order 1: IBM 4 at a time"
    assert sent["event_type"] == "submit"
    assert "display" not in {line["event_type"] for line in lines(tmp_path, "system")}


def test_summary_of_a_session_is_what_the_run_says(tmp_path: Path) -> None:
    outcome = run_logged(shipped(), RunLog(tmp_path))
    first, *_, last = lines(tmp_path, "system")
    assert first["event_type"] == "session_start"
    assert first["data"]["config"]["latency"]["name"] == "standard"
    assert last["event_type"] == "session_summary"
    assert last["data"]["run_hash"] == outcome.run_hash
    assert last["data"]["orders"] == outcome.orders
    assert last["data"]["equity"] == outcome.final_equity
    assert sum(share["fills"] for share in last["data"]["strategies"].values()) == outcome.fills


def test_log_changes_no_result_and_is_the_same_each_time(tmp_path: Path) -> None:
    plain = shipped().run()
    for name in ("one", "two"):
        assert run_logged(shipped(), RunLog(tmp_path / name)).run_hash == plain.run_hash
    for stream in ("system", "orders", "trades"):
        one, two = ((tmp_path / name / f"{stream}.log").read_bytes() for name in ("one", "two"))
        assert one == two


def test_strategy_that_fails_leaves_its_last_words_and_its_error(tmp_path: Path) -> None:
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY)
    with pytest.raises(StrategyFault, match="enough"):
        run_logged(shipped(script, ("IBM",)), RunLog(tmp_path / "logs"))
    *_, said, failed = lines(tmp_path / "logs", "system")
    assert (said["message"], said["component"], said["strategy"]) == ("bought 10", "strategy", "Faulty")
    assert said["data"]["close"] > 0
    assert said["timestamp"] > "2000-03-01T21"
    assert failed["level"] == "CRITICAL"
    assert "faulty.py line 16" in failed["message"]
    assert lines(tmp_path / "logs", "errors") == [failed]
    kinds = [line["event_type"] for line in lines(tmp_path / "logs", "orders")]
    assert kinds == ["submit"]


def test_levels_hold_for_each_component(tmp_path: Path) -> None:
    levels = levels_from_text("warning, orders=debug,strategy = error")
    assert (levels.of("risk"), levels.of("orders"), levels.of("strategy")) == (
        logging.WARNING, logging.DEBUG, logging.ERROR,
    )  # fmt: skip
    run_logged(shipped(), RunLog(tmp_path, levels))
    assert lines(tmp_path, "system") == []
    assert {line["level"] for line in lines(tmp_path, "orders")} == {"DEBUG", "INFO"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("loud", "no log level 'loud'"),
        ("ordrs=info", "no component 'ordrs'"),
        ("info,debug", "names two levels"),
        ("risk=info,risk=debug", "names risk twice"),
        ("", "no log level ''"),
    ],
)
def test_level_text_that_cannot_be_meant_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        levels_from_text(text)


def test_line_escapes_what_a_terminal_would_act_on_and_is_bounded() -> None:
    text = "a\nb\x1b[2J\u202e" + "x" * (2 * MESSAGE_MAX)
    entry = Entry(
        ts=1, level=logging.INFO, component="run", event_type="e", message=text, data={"x": float("nan"), "y": text}
    )
    line = line_of(entry)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line
    assert len(line) < 3 * MESSAGE_MAX
    assert json.loads(line)["data"]["x"] is None


def test_timestamp_always_has_nine_decimals() -> None:
    assert nano_text(0) == "1970-01-01T00:00:00.000000000Z"
    assert nano_text(1_500_000_000_000_000_007) == "2017-07-14T02:40:00.000000007Z"


def test_record_with_a_wrong_format_keeps_its_text() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "only %d", ("no number",), None)
    assert entry_of(record, "x", 1).message == "only %d"


class _Wordless:
    def __str__(self) -> str:
        raise RuntimeError("none")


ROUND: list[Any] = []
ROUND.append(ROUND)


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"order_id": np.int64(7)}, {"order_id": 7}),
        ({"order_id": float("nan")}, {}),
        ({"symbol": Decimal("1.5")}, {"symbol": "1.5"}),
        ({"strategy": _Wordless()}, {"strategy": "<_Wordless without a text: RuntimeError>"}),
        ({"data": {"a": np.float64(2), "b": [np.float32(1)]}}, {"data": {"a": 2.0, "b": ["1.0"]}}),
        ({"data": {"a": _Wordless(), "b": 10**5000}}, None),
        ({"data": {_Wordless(): 1}}, {"data": {"<_Wordless without a text: RuntimeError>": 1}}),
        ({"data": {"a": ROUND}}, None),
    ],
)
def test_remark_about_anything_at_all_is_one_line_of_json(about: dict[str, Any], told: dict[str, Any] | None) -> None:
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "x.py", 1, "hi", (), None, extra=about)
    line = line_of(entry_of(record, "strategy", 0))
    found = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    rest = {name: found[name] for name in ("order_id", "symbol", "strategy", "data") if name in found}
    assert told is None or rest == told


@pytest.mark.parametrize(("message", "given"), [(_Wordless(), ()), ("%s", (_Wordless(),)), ("%d", ("a",))])
def test_remark_whose_text_cannot_be_made_does_not_end_the_run(message: Any, given: tuple[Any, ...]) -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, message, given, None)
    assert "log_error" in entry_of(record, "strategy", 0).data


def test_remark_holds_its_data_as_they_were_when_it_was_made() -> None:
    closes = [1.0]
    record = logging.getLogger("x").makeRecord(
        "x", logging.INFO, "x.py", 1, "hi", (), None, extra={"data": {"closes": closes}}
    )
    entry = entry_of(record, "strategy", 0)
    closes.append(2.0)
    assert json.loads(line_of(entry))["data"] == {"closes": [1.0]}


def test_patient_log_that_cannot_make_its_lines_loses_them_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> bytes:
        raise TypeError("no line")

    monkeypatch.setattr("lockstep.run.logs.files.line_of", broken)
    log = RunLog(tmp_path)
    with log:
        for _ in range(log_module.BLOCKS_WAITING + 2):
            log.say(logging.INFO, "run", "x", "x")
            log.rows(np.zeros((3, 8), np.int64))
    assert log.counts()["lost"] >= log_module.BLOCKS_WAITING + 2
    assert not log._thread.is_alive()


def test_full_file_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    file = StreamFile(tmp_path / "orders.log", rotate_bytes=100, keep=3)
    for number in range(20):
        file.write(b"%038d\n" % number)  # two fill a file
    file.close()
    held = {path.name: path.read_bytes().split() for path in tmp_path.iterdir()}
    assert sorted(held) == ["orders.log", "orders.log.1", "orders.log.2"]
    assert [int(line) for name in sorted(held, reverse=True) for line in held[name]] == [14, 15, 16, 17, 18, 19]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())


def test_disk_that_takes_half_a_line_keeps_none_of_it_and_the_next_is_tried(tmp_path: Path) -> None:
    file = StreamFile(tmp_path / "orders.log", 10**6, 2)
    file.write(b"one\n")
    opened = file._open()

    class Short:
        def write(self, line: bytes) -> int:
            return opened.write(line[: len(line) // 2])

        def truncate(self, size: int) -> int:
            return opened.truncate(size)

        def close(self) -> None:
            opened.close()

    file._file = Short()  # type: ignore[assignment]
    file.write(b"two\n")
    file.write(b"three\n")
    file.close()
    assert (tmp_path / "orders.log").read_bytes() == b"one\nthree\n"
    assert (file.lines, file.lost) == (2, 1)


def test_folder_that_vanished_under_the_log_loses_lines_and_says_how_many(tmp_path: Path) -> None:
    place = tmp_path / "logs"
    place.write_text("a file where the folder should be")
    log = RunLog(place)
    run_logged(shipped(), log)
    assert log.files.lost > 400


class Stuck:
    """Files that take nothing until they are let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.written: list[Entry] = []

    def write(self, entry: Entry) -> None:
        self.free.wait()
        self.written.append(entry)

    def close(self) -> None:
        pass


def test_live_log_never_waits_for_its_disk_and_counts_what_it_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "WAITING_MAX", 50)
    log, stuck = RunLog(tmp_path, patient=False), Stuck()
    log.files = stuck  # type: ignore[assignment]
    with log:
        for number in range(200):  # would hang for good if any of these waited
            log.say(logging.INFO, "run", "test", str(number))
        assert log.dropped >= 149
        stuck.free.set()
    assert [int(entry.message) for entry in stuck.written if entry.event_type == "test"] == list(
        range(200 - log.dropped)
    )
    assert stuck.written[-1].data == {"count": log.dropped}


def test_log_that_hangs_at_the_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "CLOSE_SECONDS", 0.05)
    log, stuck = RunLog(tmp_path, patient=False), Stuck()
    log.files = stuck  # type: ignore[assignment]
    with log:
        log.say(logging.INFO, "run", "test", "never written")
        began = time.monotonic()
        assert not log.close()
        assert time.monotonic() - began < 20
    stuck.free.set()


def test_python_logging_is_as_before_afterwards(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with RunLog(tmp_path, levels_from_text("debug,venues=error")) as log:
        logging.getLogger("lockstep.venues.binance").warning("below its level")
        logging.getLogger("lockstep.data").debug("%s read", "bars", extra={"symbol": "IBM"})
    assert (root.level, list(root.handlers)) == before
    assert [(line["component"], line["symbol"]) for line in lines(tmp_path, "system")] == [("data", "IBM")]
    assert log.counts()["system"] == 1


@pytest.mark.parametrize(
    ("logger", "component"),
    [("lockstep.risk", "risk"), ("lockstep", "run"), ("root", "strategy"), ("lockstep_strategy_t", "strategy"), ("urllib3", "urllib3")],
)  # fmt: skip
def test_component_follows_from_the_name_of_the_logger(logger: str, component: str) -> None:
    assert component_of(logger) == component
