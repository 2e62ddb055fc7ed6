"""Tables on a narrow screen: lines may wrap, figures are never cut."""

import io

import pytest
from rich.console import Console

from lockstep.app.cli.console import plain_table, show
from lockstep.app.cli.outcome_table import cost


def test_no_figure_is_cut_where_a_heading_of_two_words_stands_over_one() -> None:
    out = io.StringIO()
    numbers = ("read", "from", "to", "new", "stored before", "replaced")
    table = plain_table("instrument", "data", *numbers, right=numbers)
    row = ("BTCUSD.BITFINEX", "bars-1m", "520,499", "2018-01-01", "2019-01-01", "520,498", "1", "0")
    table.add_row(*row)
    for column in table.columns[:2]:
        column.no_wrap = True
    show(Console(file=out, width=60, highlight=False), table)
    for text in (*row, "stored before", "replaced"):
        assert text in out.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (1234.567, "1,234.57"), (0.1, "0.10"), (0.0714, "0.071"), (-0.00007159, "-0.000072"), (1e-15, "0.000000000000")],
)  # fmt: skip
def test_a_cost_that_two_decimals_would_hide_is_shown(value: float, text: str) -> None:
    assert cost(value) == text
