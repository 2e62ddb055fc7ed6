"""Tables on a narrow screen: lines may wrap, figures are never cut."""

import io

from rich.console import Console

from lockstep.app.cli.console import plain_table, show


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
