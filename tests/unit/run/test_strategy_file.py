"""Strategy files as people leave them on disk, and accounts that could not trade."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lockstep.model.errors import StrategyError, UsageError
from lockstep.run.config import BacktestConfig
from lockstep.run.strategy_file import load_strategy

BODY = "from lockstep import Strategy\n\n\nclass S(Strategy):\n    def on_bar(self, bar): ...\n"


def test_byte_order_mark_and_windows_line_ends_are_the_same_source(tmp_path: Path) -> None:
    plain, windows = tmp_path / "plain.py", tmp_path / "windows.py"
    plain.write_bytes(BODY.encode())
    windows.write_bytes(b"\xef\xbb\xbf" + BODY.replace("\n", "\r\n").encode())
    assert load_strategy(windows).source == load_strategy(plain).source == BODY


@pytest.mark.parametrize("content", [b"class S:\0 pass\n", b"\xff\xfe\0\1", b"class S(:\n"])
def test_file_that_is_no_python_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.py"
    path.write_bytes(content)
    with pytest.raises(StrategyError, match=r"broken\.py"):
        load_strategy(path)


def test_second_name_of_a_class_is_not_a_second_strategy(tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    path.write_text(BODY + "\n\nAlias = S\n")
    assert load_strategy(path).name == "S"
    path.write_text(BODY + "\n\nclass T(S): ...\n")
    with pytest.raises(StrategyError, match="2 strategies: S, T"):
        load_strategy(path)
    assert load_strategy(path, "T").name == "T"


def test_file_that_changes_the_import_path_keeps_its_own_error(tmp_path: Path) -> None:
    path, before = tmp_path / "s.py", list(sys.path)
    path.write_text("import sys\nsys.path.pop(0)\n1 / 0\n")
    with pytest.raises(StrategyError, match=r"s\.py line 3: ZeroDivisionError"):
        load_strategy(path)
    assert sys.path == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"cash": Decimal(0)},
        {"cash": Decimal("nan")},
        {"cash": Decimal("inf")},
        {"leverage": Decimal("nan")},
        {"leverage": Decimal(1001)},
        {"cost_multiple": -1},
        {"start_ns": 5, "end_ns": 5},
    ],
)
def test_account_that_could_not_trade_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        BacktestConfig(**wrong)
