"""Small files for what recorded data cannot show: broken ones. Prices in them are the first bars of a real file."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

HEADER = "timestamp_ms,open,high,low,close,volume"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a CSV from lines and gives its path."""

    def make(*rows: str, name: str = "bitfinex_btcusd_1m.csv", header: str = HEADER) -> Path:
        path = tmp_path / name
        text = "\n".join([header, *rows]) + "\n"
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode(), mtime=0))
        else:
            path.write_text(text)
        return path

    return make
