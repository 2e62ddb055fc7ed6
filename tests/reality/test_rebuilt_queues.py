"""Queues rebuilt from levels and trades, against recordings that tell every order: the tables of the guide are what comes out."""

from pathlib import Path
from typing import Any

import pytest

from lockstep.research.queues.score import MODELS, QueueScore, score_file

pytestmark = pytest.mark.data
GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/queue-reconstruction.md"
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "ESH4": ("l3/esh4-glbx-mdp3-20231225.mbo.dbn.zst", {}),
    "BTCUSD": ("l3/bitstamp_btcusd_20150501_live_orders.log.xz", {}),
    "AMZN": ("l3/lobster_AMZN_2012-06-21_34200000_57600000_message_1.csv.gz", {"best_only": True, "every": 20}),
}
Row = list[str]


@pytest.fixture(scope="module", params=list(FILES))
def scored(request: pytest.FixtureRequest, data: Path) -> QueueScore:
    file, options = FILES[request.param]
    if file.endswith(".zst"):
        pytest.importorskip(
            "zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'"
        )
    return score_file(data / file, **options)


def told(symbol: str, cells: int) -> list[Row]:
    """The rows of the guide's table of so many cells about a recording."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in GUIDE.read_text().splitlines()]
    return [row for row in rows if row[0] == symbol and len(row) == cells]


def rows_ahead(scored: QueueScore) -> list[Row]:
    return [
        [scored.symbol, name, f"{part.asked:,}"]
        + [f"{part.error[model]:.3f}" for model in MODELS]
        + [f"{part.exact[model]:.1%}".replace("%", " %") for model in MODELS]
        for name, part in scored.ahead.items()
    ]


def rows_of_counts(scored: QueueScore) -> list[Row]:
    return [
        [scored.symbol, name, f"{part.asked:,}", f"{part.orders:.2f}", f"{part.error:.2f}", f"{part.bias:+.2f}"]
        + [f"{share:.1%}".replace("%", " %") for share in (part.exact,)]
        for name, part in scored.counts.items()
    ]


def row_of_cancels(scored: QueueScore) -> Row:
    whole, only, newest, parts = scored.cancels
    share = f"{newest / (whole - only):.1%}".replace("%", " %")
    return [scored.symbol, f"{whole:,}", f"{only:,}", f"{whole - only:,}", share, f"{parts:,}"]


def test_tables_of_the_guide_come_out_again(scored: QueueScore) -> None:
    assert told(scored.symbol, 9) == rows_ahead(scored)
    assert told(scored.symbol, 7) == rows_of_counts(scored)
    assert told(scored.symbol, 6) == [row_of_cancels(scored)]


@pytest.mark.parametrize("symbol", FILES)
def test_oldest_of_its_size_is_less_often_the_one_that_left(symbol: str, data: Path) -> None:
    file, options = FILES[symbol]
    if file.endswith(".zst"):
        pytest.importorskip(
            "zstandard", reason="DBN files are compressed with zstd: pip install 'lockstep-trading[books]'"
        )
    errors = [
        score_file(data / file, oldest=oldest, **options).ahead["while it rests"].error["rebuilt"]
        for oldest in (False, True)
    ]
    assert told(symbol, 3) == [[symbol, *(f"{error:.3f}" for error in errors)]]
    assert errors[0] <= errors[1]


def test_rebuilt_queue_is_nearer_to_the_true_one_than_models_without_orders(scored: QueueScore) -> None:
    for name, part in scored.ahead.items():
        others = [model for model in MODELS if model != "rebuilt"]
        assert all(part.error["rebuilt"] <= part.error[model] for model in others), name
        assert all(part.exact["rebuilt"] >= part.exact[model] for model in others), name
