from dataclasses import replace

import pytest

from lockstep.analytics.report.verdict import Facts, verdict

SPACE = "\N{NARROW NO-BREAK SPACE}"
BASE = Facts(
    currency="USD", days=1_461, orders=80, fills=80, refused=0, closed=40, still_open=0, profit=18_000.0,
    total_return=0.18, annual_return=0.042, max_drawdown=-0.23, benchmark_return=0.42, benchmark_annual=0.091,
    benchmark_drawdown=-0.31, sharpe=0.41, sharpe_low=-0.2, sharpe_high=0.9, sharpe_level=0.9, costs=2_000.0,
    cost_profits=((0, 20_000.0), (1, 18_000.0), (2, 16_000.0), (3, 14_000.0)), path_profit=17_900.0, path_share=0.005,
    delayed_profit=17_000.0, best_trade=3_000.0, unrealised=0.0, stopped=None,
)  # fmt: skip


def said(facts: Facts) -> str:
    result = verdict(facts)
    return " ".join((result.headline, *result.sentences)).replace(SPACE, " ")


def test_headline_states_yearly_return_benchmark_and_worst_loss() -> None:
    assert verdict(BASE).headline.replace(SPACE, " ") == (
        "Made 4.2 % a year against 9.1 % for buying and holding, with a worst loss of 23.0 % from a peak."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": 45.0, "total_return": 0.031, "benchmark_return": 0.02}, "Made 3.1 % in 45 days against 2.0 %"),
        ({"days": 0.4, "total_return": -0.01}, "Lost 1.0 % in less than a day"),
        ({"annual_return": -0.05, "total_return": -0.2}, "Lost 5.0 % a year against a gain of 9.1 % for buying"),
        ({"benchmark_annual": -0.02}, "Made 4.2 % a year against a loss of 2.0 % for buying and holding"),
        ({"total_return": -0.2}, "It did worse than buying and holding, at a worst loss"),
        ({"total_return": -0.2, "benchmark_return": -0.3}, "It lost less than buying and holding, at a worst loss"),
        ({"total_return": None, "annual_return": None, "profit": -500.0}, "Ended with a loss of $500.00"),
        ({}, "It earned less than buying and holding, at a worst loss of 23.0 % against 31.0 %."),
        ({"total_return": 0.5}, "It earned more than buying and holding, at a worst loss of 23.0 % against 31.0 %: with less"),
        ({"total_return": 0.5, "max_drawdown": -0.4}, "but not with less risk"),
        ({}, "With 40 closed trades, the Sharpe ratio of 0.41 is uncertain, its 90 % band runs from \N{MINUS SIGN}0.20 to 0.90"),
        ({}, "it includes zero, so luck alone could explain the result"),
        ({"sharpe_low": 0.1}, "it excludes zero, for one test"),
        ({"closed": 29}, "29 closed trades are few: the Sharpe ratio of 0.41"),
        ({"closed": 1, "sharpe_low": None}, "1 closed trade is few: too few to conclude anything from."),
        ({}, "Costs took $2,000, 10 % of the profit before costs."),
        ({"costs": 0.0}, "No trading costs were charged"),
        ({"profit": -500.0}, "Costs of $2,000 turned a profit of $1,500 into a loss."),
        ({"profit": -5_000.0}, "Costs took $2,000; it lost before costs as well."),
        ({"cost_profits": ((1, 18_000.0), (2, -1.0), (3, -2.0))}, "At twice these costs the profit disappears."),
        ({"cost_profits": ((2, 1.0), (3, 0.0))}, "At three times these costs the profit disappears."),
        ({"path_profit": -900.0}, "The sign of the result depends on the assumed path inside the bars"),
        ({"path_share": -0.3}, "30 % of the P&L depends on the assumed path inside the bars."),
        ({"delayed_profit": -1.0}, "Acting one bar later turns the profit into a loss."),
        ({"delayed_profit": 4_500.0}, "Acting one bar later costs 75 % of the profit."),
        ({"best_trade": 9_900.0}, "Its best trade alone made 55 % of the profit."),
        ({"best_trade": 19_000.0}, "Without its best trade it would have made nothing."),
        ({"unrealised": 5_000.0, "still_open": 1}, "$5,000 of the result is unrealised: 1 position still open"),
        ({"stopped": "drawdown limit reached."}, "The run stopped early, and the figures end there: drawdown limit reached."),
        ({"orders": 0, "fills": 0}, "The strategy sent no order, so there is no result to judge."),
        ({"orders": 12, "fills": 0, "refused": 12}, "No order was filled (12 orders sent; 12 of them refused)"),
        ({"orders": 0, "fills": 0, "stopped": "no data"}, "The run stopped early: no data."),
    ],
)  # fmt: skip
def test_rule_applies_when_its_fact_holds(change: dict[str, object], words: str) -> None:
    assert words in said(replace(BASE, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "disappears"),
        ({}, "path inside"),
        ({}, "one bar later"),
        ({}, "best trade"),
        ({}, "unrealised"),
        ({"closed": 30}, "are few"),
        ({"profit": -1.0, "cost_profits": ((2, -5.0),)}, "disappears"),
        ({"profit": -1.0, "best_trade": 10.0}, "best trade"),
        ({"benchmark_return": None, "benchmark_annual": None}, "buying and holding"),
        ({"fills": 0}, "Sharpe"),
    ],
)
def test_rule_is_silent_when_its_fact_does_not_hold(change: dict[str, object], words: str) -> None:
    assert words not in said(replace(BASE, **change))  # type: ignore[arg-type]


def test_verdict_of_a_good_run_never_praises() -> None:
    good = replace(BASE, total_return=3.0, annual_return=0.4, sharpe=2.5, sharpe_low=1.5, sharpe_high=3.4, closed=400)
    text = said(good).lower()
    assert not any(word in text for word in ("great", "excellent", "strong", "impressive", "outperform", "robust", "!"))
