"""Tables on a narrow screen: lines may wrap, figures are never cut."""

import io

from rich.console import Console

from lockstep.app.cli.console import plain_table, show


def test_no_figure_is_cut_where_a_heading_of_two_words_stands_over_it() -> None:
    out = io.StringIO()
    numbers = ("read", "from", "stored before", "added after")
    table = plain_table("instrument", *numbers, right=numbers)
    table.add_row("BTCUSD.BITFINEX", "520,499", "2018-01-01", "0", "1")
    show(Console(file=out, width=40, highlight=False), table)
    for text in ("520,499", "2018-01-01", "stored before", "added after"):
        assert text in out.getvalue()
