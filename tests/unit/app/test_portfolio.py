"""`lockstep portfolio`, and the settings of the account: currency, rates, margins, funding, borrowing."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lockstep.model.errors import LockstepError
from lockstep.run.settings.load import load_settings
from lockstep.run.settings.prepare import config_from, funding_from

BACKTEST = (
    "backtest",
    "trend.py",
    "--data",
    "us_stocks",
    "--symbol",
    "IBM",
    "--symbol",
    "AAPL",
    "--start",
    "2010-01-01",
)


def test_rows_of_every_grouping_add_up_to_the_same_total(
    call: Callable[..., Any], call_json: Callable[..., Any]
) -> None:
    call("new", "trend", code=0)
    run = call_json(*BACKTEST, "--no-sensitivity")
    totals = set()
    for by in ("strategy", "symbol", "month"):
        found = call_json("portfolio", run["run_hash"][:8], "--by", by)
        assert sum(Decimal(row["net"]) for row in found["rows"]) == Decimal(found["total"]["net"])
        totals.add(found["total"]["net"])
        statement = found["statement"]
        assert Decimal(statement["equity"]) == Decimal(statement["opening"]) + Decimal(found["total"]["net"])
        assert float(statement["equity"]) == pytest.approx(run["final_equity"])
    assert len(totals) == 1
    shown = call("portfolio", "--by", "symbol", code=0).output
    assert "AAPL.US" in shown
    assert "Equity" in shown


def test_rest_of_rounding_alone_is_not_shown_as_a_gain_of_exchange(
    call: Callable[..., Any], call_json: Callable[..., Any]
) -> None:
    call("new", "trend", code=0)
    call(*BACKTEST, "--currency", "EUR", "--rate", "USD=0.9171234567", "--no-sensitivity", code=0)
    assert 0.0 < abs(float(call_json("portfolio")["statement"]["exchange"])) < 0.005
    assert "rounding" not in call("portfolio", code=0).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--currency", "EUR"), "no rate of USD in EUR"),
        (("--rate", "EUR=1"), "nothing settles in it"),
        (("--rate", "1.08"), "--rate takes CODE=N"),
        (("--borrow", "-1"), "borrow was -1"),
        (("--funding", "IBM=none.csv"), "none.csv: cannot be read"),
    ],
)
def test_account_that_cannot_be_is_refused_in_one_message(
    call: Callable[..., Any], words: tuple[str, ...], said: str
) -> None:
    call("new", "trend", code=0)
    result = call(*BACKTEST, *words, "--no-save", "--no-sensitivity")
    assert result.exit_code != 0
    assert said in result.output


SETTINGS = """
[engine]
currency = "usd"
rates = {{ eur = "1.08", GBP = 1.27 }}
margins = {{ ESH4 = "0.1/0.04", NQH4 = "0.2" }}
borrow = "0.03"
{more}
[data]
source = "us_stocks"
[[strategies]]
script = "trend.py"
"""


def test_settings_of_the_account_are_read_exactly(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("20221213 08:00:00,-0.0002\n")
    (tmp_path / "s.toml").write_text(SETTINGS.format(more='funding = { BTCUSDT = "f.csv" }'))
    settings = load_settings(tmp_path / "s.toml", ())
    config = config_from(settings)
    assert (config.currency, config.rates) == ("USD", {"EUR": Decimal("1.08"), "GBP": Decimal("1.27")})
    assert config.margins == {"ESH4": (Decimal("0.1"), Decimal("0.04")), "NQH4": (Decimal("0.2"), Decimal("0.1"))}
    assert config.borrow == Decimal("0.03")
    assert [one.rate for one in funding_from(settings)["BTCUSDT"].rates] == [-2]
    assert config.facts()["margins"] == {"ESH4": ["0.1", "0.04"], "NQH4": ["0.2", "0.1"]}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rates = { EUR = 0 }", "EUR was 0"),
        ("rates = 3", "must be a table"),
        ('margins = { A = "0.1/0.2" }', "0 < maintenance <= initial"),
        ('margins = { A = "2" }', "0 < maintenance <= initial"),
        ('funding = { A = "none.csv" }', "no file of funding rates"),
        ("borrow = 11", "borrow"),
    ],
)
def test_settings_of_the_account_that_cannot_be_name_their_line(tmp_path: Path, line: str, said: str) -> None:
    text = f'[engine]\n{line}\n[data]\nsource = "us_stocks"\n[[strategies]]\nscript = "trend.py"\n'
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(LockstepError, match=said) as caught:
        funding_from(load_settings(tmp_path / "s.toml", ()))
    assert "line 2" in str(caught.value)
