"""Binance, 2024-08-08: the book made of the depth stream agrees with the stream of best bids and asks at the same update."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from recorded_books import event_ends, held, histories, raw_lines, records_of

from lockstep.book.l2 import L2Book
from lockstep.model.enums import BookFault, BookState
from lockstep.model.numbers import fixed_from_text
from lockstep.store.catalog.books.tape import LATENCY_FLOOR_NS

pytestmark = pytest.mark.data
Best = tuple[int, int, int, int]


def best_by_update(path: Path, price_decimals: int, qty_decimals: int) -> dict[int, Best]:
    """What the bookTicker stream says: bid, its quantity, ask, its quantity, in units, by the number of the update."""
    found: dict[int, Best] = {}
    for line in raw_lines(path):
        if "@bookTicker" not in line:
            continue
        said = msgspec.json.decode(line.partition(" ")[2])["data"]
        prices = (fixed_from_text(said[name], price_decimals) for name in "ba")
        quantities = (fixed_from_text(said[name], qty_decimals) for name in "BA")
        (bid, ask), (bid_qty, ask_qty) = prices, quantities
        found[said["u"]] = (bid, bid_qty, ask, ask_qty)
    return found


@pytest.mark.parametrize(
    ("stem", "updates", "same_number"),
    [
        pytest.param("usdm_btcusdt_20240808", 6_548, 629, marks=pytest.mark.slow),
        pytest.param("usdm_ethusdt_20240808", 6_581, 551, marks=pytest.mark.slow),
        ("spot_btcusdt_20240808", 3_450, 564),
        ("cm_btcusd_perp_20240808", 26_825, 1_124),
    ],
)
def test_book_agrees_with_the_last_best_bid_and_ask_up_to_each_update(
    data: Path, stem: str, updates: int, same_number: int
) -> None:
    path = data / f"crypto_l2/binance_{stem}.raw.zst"
    (found,) = histories(path, "books").values()
    instrument = found.instrument
    best = best_by_update(path, instrument.price_decimals, instrument.qty_decimals)
    records = records_of(found)
    book, rows = L2Book(instrument), held(records)
    numbers = np.array(sorted(best))
    begin = agreed = same = 0
    for end in event_ends(records).tolist():
        book.apply(rows, begin, end)
        begin = end
        number = int(records["p3"][end - 1])
        if book.is_good:  # each change of the best is told, so that the last one up to an update is the best after it
            last = int(numbers[np.searchsorted(numbers, number, side="right") - 1])
            seen = (book.bid_units, book.bid_qty_units, book.ask_units, book.ask_qty_units)
            assert seen == best[last], f"update {number}"
            agreed += 1
            same += last == number
    assert (agreed, same) == (updates, same_number)
    assert (book.fault_counts(), book.status) == ({}, (BookState.GOOD, BookFault.NONE))


@pytest.mark.slow
def test_files_of_one_recorder_go_on_where_the_one_before_ended(data: Path, tmp_path: Path) -> None:
    for day in ("20240808", "20240809"):
        name = f"binance_spot_btcusdt_{day}.raw.zst"
        (tmp_path / name).symlink_to(data / "crypto_l2" / name)
    (both,) = histories(tmp_path, "books").values()
    assert not [note for note in both.info.notes if "gap" in note or "never GOOD" in note]
    (alone,) = histories(tmp_path / "binance_spot_btcusdt_20240809.raw.zst", "books").values()
    assert "no full book came: the book is never GOOD" in alone.info.notes
    book = L2Book(alone.instrument)
    records = records_of(alone)
    book.apply(held(records), 0, len(records))
    assert book.status == (BookState.EMPTY, BookFault.NO_SNAPSHOT)


def test_a_recorder_whose_clock_was_behind_is_corrected_and_it_is_said(data: Path) -> None:
    file = data / "crypto_l2/binance_cm_btcusd_perp_20240808.raw.zst"
    found = histories(file)
    said = [note for note in found["trade"].info.notes if "the recorder's clock was behind" in note]
    assert len(said) == 1
    assert "48,269 of 48,269 messages were received before they were sent" in said[0]
    assert "moved later by 1,273.694 ms" in said[0]
    trades = records_of(found["trade"])
    latency = trades["clock"] - trades["ts_event"]
    assert latency.min() >= LATENCY_FLOOR_NS
    assert np.median(latency) < 50_000_000
    first = int(next(iter(raw_lines(file))).split(" ")[0])
    assert round((int(records_of(found["book"])["clock"][0]) - first) / 1e6, 3) == 1_273.694
