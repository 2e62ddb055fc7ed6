"""`lockstep data import`, `show` of the catalog and `check`, as a user meets them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Row = list[str]
Call = Callable[..., Result]
CallJson = Callable[..., dict[str, Any]]
TRADES = "timestamp_ms,price,amount\n1514764800000,5.5,1\n1514764800001,5.25,2\n"


@pytest.fixture
def trades(tmp_path: Path, call: Call) -> str:
    (tmp_path / "bitfinex_btcusd.csv").write_text(TRADES)
    return "bitfinex_btcusd.csv"


def test_import_shows_what_it_inferred_and_the_catalog_then_has_it(
    call: Call, call_json: CallJson, trades: str
) -> None:
    said = call("data", "import", trades, code=0).stdout
    assert "BTCUSD.BITFINEX" in said
    assert "taken for crypto, as BITFINEX is a crypto venue" in said
    assert "times read as epoch ms, as the column's name says" in said
    assert "--data catalog" in said
    (held,) = call_json("data", "list")["catalog"]
    assert (held["instrument"], held["series"], held["rows"]) == ("BTCUSD.BITFINEX", "trades", 2)
    (one,) = call_json("data", "show", "btcusd", "--kind", "trades", "--rows", "1")["instruments"]
    assert one["first"][0] == {
        "symbol": "BTCUSD", "timestamp": "2018-01-01T00:00:00Z", "price": 5.5, "qty": 1.0, "side": None, "trade_id": None,
    }  # fmt: skip
    shown = call("data", "show", "btcusd", code=0).stdout  # there are no bars: it shows what there is
    assert "5.25" in shown
    assert "trades" in shown


def test_import_of_the_same_rows_again_says_that_they_are_there(call_json: CallJson, trades: str) -> None:
    call_json("data", "import", trades)
    (one,) = call_json("data", "import", trades)["imported"]
    assert (one["read"], one["added"], one["same"], one["files"]) == (2, 0, 2, 0)


def test_a_dry_run_changes_nothing(call: Call, call_json: CallJson, trades: str) -> None:
    told = call_json("data", "import", trades, "--dry-run")
    assert (told["dry_run"], told["imported"][0]["added"]) == (True, 2)
    assert call_json("data", "list")["catalog"] == []
    assert "nothing was changed" in call("data", "import", trades, "--dry-run", code=0).stdout


def test_symbol_venue_and_class_are_as_they_are_said(call: Call, call_json: CallJson, trades: str) -> None:
    words = ("--symbol", "aapl", "--venue", "xnas", "--asset-class", "equity", "--kind", "trades")
    (one,) = call_json("data", "import", trades, *words)["imported"]
    assert (one["instrument"], one["asset_class"], one["session"]) == ("AAPL.XNAS", "equity", "XNYS")


@pytest.mark.parametrize(
    ("text", "words", "code", "message"),
    [
        ("time,price,qty\n2018-01-01 10:00:00,5,1\n", (), 2, "--zone UTC, --zone America/New_York"),
        ("time,price,qty\n2018-01-01 10:00:00,5,1\n", ("--zone", "Mars"), 2, "no such time zone: 'Mars'"),
        ("time,price,qty,bid,ask,bid_size,ask_size\n1514764800,5,1,5,6,1,1\n", (), 2, "--kind quotes or --kind trades"),
        ("timestamp,open,high,low,close,volume\n1514764860,5,5,5,5,1\n", (), 1, "--timeframe"),
        (TRADES, ("--kind", "bars"), 1, "no bars there"),
        (TRADES, ("--kind", "trade"), 2, "did you mean 'trades'"),
        (TRADES, ("--time-unit", "h"), 2, "--time-unit"),
        (TRADES, ("--venue", "A.B"), 2, "--venue was 'A.B'"),
    ],
)
def test_what_is_ambiguous_is_refused_with_the_option_that_settles_it(
    text: str, words: tuple[str, ...], code: int, message: str, call: Call, call_json: CallJson, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(text)
    result = call("data", "import", "x.csv", *words, code=code)
    assert message in result.output
    assert call_json("data", "list")["catalog"] == []


def test_a_single_bar_is_read_once_its_length_is_said(call_json: CallJson, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("timestamp,open,high,low,close,volume\n1514764800,5,5,5,5,1\n")
    (one,) = call_json("data", "import", "x.csv", "--timeframe", "5m")["imported"]
    assert one["series"] == "bars-5m"


def test_other_rows_need_replace(call: Call, call_json: CallJson, trades: str, tmp_path: Path) -> None:
    call_json("data", "import", trades)
    (tmp_path / trades).write_text(TRADES.replace("5.25", "5.75"))
    refused = call("data", "import", trades, code=1).output
    assert "differs" in refused
    assert "--replace" in refused
    (one,) = call_json("data", "import", trades, "--replace")["imported"]
    assert one["replaced"] == 2


def test_check_reads_every_file_and_fails_on_a_changed_one(
    call: Call, call_json: CallJson, trades: str, tmp_path: Path
) -> None:
    call_json("data", "import", trades)
    assert call_json("data", "check") == {"catalog": str(tmp_path / "home" / "catalog"), "files": 1, "problems": []}
    (file,) = (tmp_path / "home" / "catalog").glob("*/*/*.parquet")
    file.write_bytes(file.read_bytes()[:-30])
    assert str(file) in call("data", "check", code=1).output
    assert (
        "missing" in call("data", "check", code=1).output
        or "not a whole Parquet file" in call("data", "check", code=1).output
    )


def test_the_catalog_is_not_imported_into_itself(call: Call, trades: str) -> None:
    call("data", "import", trades, code=0)
    assert "the catalog itself" in call("data", "import", "catalog", code=2).output


def test_imported_bars_give_the_run_hash_of_the_file_they_came_from(call: Call, call_json: CallJson) -> None:
    call("new", "cross", code=0)
    call("data", "import", "us_stocks", code=0)
    words = ("--symbol", "IBM", "--no-save", "--no-sensitivity", "--start", "2010-01-01")
    from_file = call_json("backtest", "cross.py", "--data", "us_stocks", *words)
    from_catalog = call_json("backtest", "cross.py", "--data", "catalog", *words)
    assert from_catalog["run_hash"] == from_file["run_hash"]
