"""QuantConnect Lean's data layout: what its paths and file names say, and its factor files.

Source: the README files under Data/ of the Lean repository: equity prices are USD x 10,000 in New York time; crypto
and futures are plain prices in UTC; minute files count milliseconds since midnight of the day in their name.
"""

import csv
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec

from lockstep.model.enums import AssetClass, CorporateAction
from lockstep.model.errors import DataError
from lockstep.model.numbers import NANOS_PER_SECOND
from lockstep.model.sessions import MINUTES_PER_DAY, Session, Window
from lockstep.store.catalog.actions import Action

EQUITY_SCALE_DECIMALS = 4
NEW_YORK = "America/New_York"
CME_INDEX = Session(
    name="CME-index",
    timezone=NEW_YORK,
    windows=(
        *(Window(day, 0, 17 * 60) for day in range(5)),
        *(Window(day, 18 * 60, MINUTES_PER_DAY) for day in (0, 1, 2, 3, 6)),
    ),
    periods_per_year=252,
    turn_minute=18 * 60,
)
"""Equity index futures: Sunday 18:00 to Friday 17:00 New York, closed from 17:00 to 18:00."""

_CLASSES = {
    "equity": AssetClass.EQUITY,
    "crypto": AssetClass.CRYPTO,
    "cryptofuture": AssetClass.CRYPTO,
    "future": AssetClass.FUTURE,
}
_RESOLUTIONS = ("tick", "second", "minute", "hour", "daily")
_DAY_MEMBER = re.compile(r"(\d{8})_(.+?)_(second|minute)_trade(?:_(\w+))?\.csv")
_LONG_MEMBER = re.compile(r"(.+?)(?:_trade)?(?:_(\d{6}|perp))?\.csv")
_NOT_TRADES = re.compile(r"_(quote|openinterest)(_\w+)?\.(zip|csv)$")


class LeanPlace(msgspec.Struct, frozen=True, kw_only=True):
    """What a path inside a Lean data folder says."""

    asset_class: AssetClass
    market: str
    ticker: str
    root: Path

    @property
    def is_us_equity(self) -> bool:
        """Whether factor files may exist."""
        return self.asset_class is AssetClass.EQUITY and self.market == "usa"

    @property
    def venue(self) -> str:
        """Our name of the market."""
        return "US" if self.market == "usa" else self.market.upper()


class LeanLayout(msgspec.Struct, frozen=True, kw_only=True):
    """How one member of a Lean zip writes its rows. midnight_ns: of the day in its name, or None for full times."""

    symbol: str
    scaled: bool
    zone: str
    midnight_ns: int | None
    notes: tuple[str, ...]

    def price_sql(self, column: str) -> str:
        """The expression for a price as decimal text."""
        if not self.scaled:
            return column
        # DECIMAL divides into DOUBLE, but multiplies exactly.
        return f"CAST(TRY_CAST({column} AS DECIMAL(14,0)) * CAST('0.0001' AS DECIMAL(4,4)) AS VARCHAR)"

    def time_sql(self, column: str) -> str:
        """The expression for ns since 1970 in the layout's zone."""
        if self.midnight_ns is None:
            return f"epoch_us(TRY_STRPTIME({column}, '%Y%m%d %H:%M')) * 1000"
        return f"TRY_CAST({column} AS BIGINT) * 1000000 + {self.midnight_ns}"


def place_of(path: Path) -> LeanPlace | None:
    """What the folders above a file say, or None where they are not Lean's: .../equity/usa/daily/aapl.zip."""
    parts = path.absolute().parts
    for i in range(len(parts) - 4, -1, -1):
        if parts[i] in _CLASSES and parts[i + 2] in _RESOLUTIONS:
            nested = i + 4 < len(parts)  # minute/aapl/20140605_trade.zip
            ticker = parts[i + 3] if nested else re.sub(r"(_trade)?\.zip$", "", parts[i + 3])
            return LeanPlace(
                asset_class=_CLASSES[parts[i]], market=parts[i + 1], ticker=ticker, root=Path(*parts[: i + 2])
            )
    return None


def layout_of(
    path: Path, member: str, first: list[str], place: LeanPlace | None, asset_class: AssetClass | None
) -> LeanLayout | None:
    """How a member is written, or None where it is not Lean's but an ordinary CSV with column names.

    Raises: DataError: quotes or open interest, other columns, or a price scale that cannot be known.
    """
    day = _DAY_MEMBER.fullmatch(member)
    if day is None and not re.fullmatch(r"\d{8} \d{2}:\d{2}", first[0]):
        if _NOT_TRADES.search(member):
            raise DataError(f"{path.name}/{member}: not bars of trades", hint="give the _trade.zip beside it")
        return None
    if _NOT_TRADES.search(path.name) or _NOT_TRADES.search(member) or len(first) != 6:
        raise DataError(
            f"{path.name}/{member}: not bars of trades: {len(first)} columns, expected time, open, high, low, "
            "close, volume",
            hint="give the _trade.zip beside it",
        )
    kind = place.asset_class.name if place else (asset_class.name if asset_class else "")
    if not kind:
        raise DataError(
            f"{path.name}: cannot tell whether its prices are multiplied by 10,000, as Lean does for equities",
            hint="keep Lean's folders (equity/usa/daily/...), or say which asset class it is",
        )
    long = _LONG_MEMBER.fullmatch(member)
    ticker, contract = (day[2], day[4]) if day else (long[1], long[2]) if long else (path.stem, None)
    equity = kind == "EQUITY"
    return LeanLayout(
        symbol=ticker.upper() + (f"-{contract.upper()}" if contract else ""),
        scaled=equity,
        zone=NEW_YORK if equity else "UTC",
        midnight_ns=_midnight_ns(day[1]) if day else None,
        notes=(f"Lean bars: prices {'/ 10,000' if equity else 'as written'}, {NEW_YORK if equity else 'UTC'} time",),
    )


def _midnight_ns(day: str) -> int:
    return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * NANOS_PER_SECOND


def session_for(place: LeanPlace) -> Session | None:
    """The calendar only Lean's market name tells; None where the asset class is enough."""
    return CME_INDEX if place.asset_class is AssetClass.FUTURE and place.market == "cme" else None


def actions_for(place: LeanPlace) -> list[Action] | None:
    """Splits and dividends of a US equity from its factor file; None where there is no such file.

    A row (date, price factor, split factor, reference close) holds up to its date; between two rows a day later, the
    split factor changes by old shares / new shares and the price factor by 1 - dividend / close. The dividend is
    rounded to a tenth of a cent: the factors have seven decimals.
    Raises: DataError: a row that is not understood.
    """
    path = place.root / "factor_files" / f"{place.ticker.lower()}.csv"
    if not place.is_us_equity or not path.is_file():
        return None
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            try:
                day = datetime.strptime(row[0], "%Y%m%d").replace(tzinfo=UTC).date()
                price, split, close = (Fraction(Decimal(value)) for value in row[1:4])
                rows.append((day, price, split, close))
            except (ValueError, IndexError, InvalidOperation, OverflowError) as e:
                raise DataError(f"{path.name}: line {number} is no factor row: {','.join(row)!r}") from e
    actions: list[Action] = []
    for (day, price, split, close), (_, next_price, next_split, _) in pairwise(rows):
        actions.extend(_actions_between(day, price / next_price, split / next_split, close))
    return actions


def _actions_between(day: date, price_ratio: Fraction, split_ratio: Fraction, close: Fraction) -> list[Action]:
    ex_day = date.fromordinal(day.toordinal() + 1)
    found = []
    if abs(split_ratio - 1) > Fraction(1, 1000):
        shares = (1 / split_ratio).limit_denominator(100)
        found.append(Action(ex_day, CorporateAction.SPLIT, shares.numerator, shares.denominator))
    mills = round((1 - price_ratio) * close * 1000)
    if mills > 0:
        found.append(Action(ex_day, CorporateAction.DIVIDEND, mills, 3))
    return found
