"""What tests of the command line ask for: a way to call it in an empty folder, and small files of real prices."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lockstep.app.cli.root import cli
from lockstep.model.record import words
from lockstep.store.catalog.readers import read_market_data
from lockstep.store.catalog.times import time_text

Row = list[str]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call `lockstep` in an empty folder with an empty LOCKSTEP_HOME; check the code if one is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*words_: str, code: int | None = None) -> Result:
        result = CliRunner().invoke(cli, words_)
        if code is not None:
            assert result.exit_code == code, f"{words_}: {result.exit_code}\n{result.stdout}{result.stderr}"
        assert "Traceback" not in result.output or "--traceback" in words_, result.output
        return result

    return invoke


@pytest.fixture
def call_json(call: Call) -> Callable[..., dict[str, Any]]:
    """Call with --json and give the one object."""

    def invoke(*words_: str, code: int = 0) -> dict[str, Any]:
        value = json.loads(call(*words_, "--json", code=code).stdout)
        assert isinstance(value, dict)
        return value

    return invoke


@pytest.fixture(scope="session")
def apple() -> list[Row]:
    """The first 60 daily bars of AAPL as the shipped data has them: date, open, high, low, close, volume."""
    (data,) = read_market_data("us_stocks", symbols=["AAPL"])
    chunk = next(data.chunks())
    bars = chunk[chunk["kind"] == 5][:60]
    scale = 10**data.instrument.price_decimals
    assert words(bars).shape == (60, 10)
    return [
        [
            time_text(int(bar["ts_event"]))[:10],
            *(f"{int(bar[name]) / scale:.2f}" for name in ("p0", "p1", "p2", "p3")),
            f"{bar['volume']:.0f}",
        ]
        for bar in bars
    ]


HEADER = ["date", "open", "high", "low", "close", "volume"]


@pytest.fixture
def prices(tmp_path: Path) -> Callable[..., str]:
    """Write rows as a CSV file and give its name."""

    def write(rows: Sequence[Row], header: Row = HEADER, name: str = "prices.csv") -> str:
        text = "".join(",".join(row) + "\n" for row in [header, *rows])
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def strategy(tmp_path: Path) -> Callable[[str], str]:
    """Write a strategy file and give its name."""

    def write(source: str, name: str = "mine.py") -> str:
        (tmp_path / name).write_text(source, encoding="utf-8")
        return name

    return write


@pytest.fixture
def ema_cross(tmp_path: Path) -> str:
    """The example EMA cross, in the folder where commands are called."""
    (tmp_path / "ema_cross.py").write_bytes((EXAMPLES / "ema_cross.py").read_bytes())
    return "ema_cross.py"
