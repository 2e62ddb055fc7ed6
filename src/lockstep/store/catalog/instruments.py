"""Which instrument a file of bars is about, and what was assumed to know it."""

from decimal import Decimal
from pathlib import Path

import msgspec

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.errors import UsageError, did_you_mean
from lockstep.model.fees import FeeSchedule
from lockstep.model.instrument import Instrument
from lockstep.model.sessions import ALWAYS, FX, WEEKDAYS, XNYS, Session, session_named
from lockstep.store.catalog.lean import LeanPlace, session_for

VENUES = (
    "binance", "bitfinex", "bithumb", "bitmex", "bitstamp", "bybit", "coinbase", "deribit", "ftx", "gemini", "huobi",
    "kraken", "kucoin", "okex", "okx", "poloniex", "upbit",
)  # fmt: skip
"""Crypto venues known by the first word of a file's name."""
LOCAL = "LOCAL"
_FIAT = ("USD", "EUR", "JPY", "GBP", "CHF", "AUD", "CAD", "NZD", "SEK", "NOK", "KRW", "CNH", "MXN", "SGD", "HKD")
_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", *_FIAT, "BTC", "ETH", "BNB")
_CRYPTO_DECIMALS = 8

DEFAULT_FEES = {
    AssetClass.EQUITY: FeeSchedule(per_unit=Decimal("0.005")),
    AssetClass.CRYPTO: FeeSchedule(maker=Decimal("0.001"), taker=Decimal("0.001")),
    AssetClass.FX: FeeSchedule(maker=Decimal("0.00002"), taker=Decimal("0.00002")),
    AssetClass.FUTURE: FeeSchedule(per_unit=Decimal("2.25")),
    AssetClass.OPTION: FeeSchedule(per_unit=Decimal("0.65")),
    AssetClass.INDEX: FeeSchedule(),
}
"""What a retail account pays, roughly: never free by default."""
_SESSIONS = {
    AssetClass.EQUITY: XNYS,
    AssetClass.CRYPTO: ALWAYS,
    AssetClass.FX: FX,
    AssetClass.FUTURE: WEEKDAYS,
    AssetClass.OPTION: XNYS,
    AssetClass.INDEX: XNYS,
}
_CLASS_OF_SESSION = {ALWAYS.name: AssetClass.CRYPTO, FX.name: AssetClass.FX}


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller says, which wins over everything inferred. None where nothing was said.

    time_unit: of epoch numbers, "s", "ms", "us" or "ns". zone: of times that have none. timeframe_ns: of bars.
    strict: what could be read in two ways is refused rather than assumed.
    """

    asset_class: AssetClass | None = None
    session: Session | None = None
    fees: FeeSchedule | None = None
    currency: str | None = None
    symbol: str | None = None
    venue: str | None = None
    time_unit: str | None = None
    zone: str | None = None
    timeframe_ns: int | None = None
    strict: bool = False

    def applied_to(self, instrument: Instrument) -> Instrument:
        """A known instrument under what the caller says."""
        said = {
            "asset_class": self.asset_class,
            "session": self.session,
            "fees": self.fees,
            "quote_currency": self.currency,
        }
        return msgspec.structs.replace(instrument, **{name: value for name, value in said.items() if value is not None})


NO_WISHES = Wishes()


def wishes_from(asset_class: str | None, session: str | None, fees: FeeSchedule | None, currency: str | None) -> Wishes:
    """The caller's words checked. Raises: UsageError: no such asset class or session."""
    kind = None
    if asset_class is not None:
        names = {member.name.lower(): member for member in AssetClass}
        if asset_class.lower() not in names:
            raise UsageError(f"unknown asset class {asset_class!r}", hint=did_you_mean(asset_class.lower(), names))
        kind = names[asset_class.lower()]
    calendar = None if session is None else session_named(session)
    return Wishes(asset_class=kind, session=calendar, fees=fees, currency=currency.upper() if currency else None)


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What the data itself says about one symbol."""

    symbol: str
    venue: str
    price_decimals: int
    saturdays: bool
    place: LeanPlace | None


def name_of_file(path: Path, wishes: Wishes = NO_WISHES) -> tuple[str, str]:
    """(symbol, venue) by a file's name: bitfinex_btcusd_1m_2018.csv.gz -> BTCUSD, BITFINEX; else the stem, LOCAL."""
    symbol, venue = _name_of_file(path)
    return wishes.symbol or symbol, wishes.venue or venue


def _name_of_file(path: Path) -> tuple[str, str]:
    stem = path.name.split(".")[0] or path.name
    words = stem.split("_")
    if len(words) > 1 and words[0].lower() in VENUES:
        return words[1].upper(), words[0].upper()
    return stem.upper(), LOCAL


def currencies_of(symbol: str) -> tuple[str, str] | None:
    """(base, quote) where a symbol is written as a pair: BTCUSD, ETH-USDT, EUR/USD; None where it is not."""
    plain = symbol.upper().removesuffix("-PERP").removesuffix("_PERP")
    for separator in ("/", "-", "_"):
        base, found, quote = plain.partition(separator)
        if found and quote in _QUOTES and base:
            return base, quote
    for quote in _QUOTES:
        if plain.endswith(quote) and len(plain) >= len(quote) + 3:
            return plain[: -len(quote)], quote
    return None


def asset_class_of(traits: Traits, wishes: Wishes) -> tuple[AssetClass, str]:
    """The asset class and the note that says why."""
    if wishes.asset_class is not None:
        return wishes.asset_class, ""
    if traits.place is not None:
        return traits.place.asset_class, ""
    if wishes.session is not None:
        kind = _CLASS_OF_SESSION.get(wishes.session.name, AssetClass.EQUITY)
        return kind, f"taken for {kind.name.lower()}, as its session is {wishes.session.name}"
    if traits.venue.lower() in VENUES:
        return AssetClass.CRYPTO, f"taken for crypto, as {traits.venue} is a crypto venue"
    if traits.saturdays:
        return AssetClass.CRYPTO, "taken for crypto, as there are bars on Saturdays"
    pair = currencies_of(traits.symbol)
    if pair is not None and set(pair) <= set(_FIAT):
        return AssetClass.FX, f"taken for a currency pair, {pair[0]} in {pair[1]}"
    return AssetClass.EQUITY, "taken for an equity, as there are no bars on Saturdays"


def session_of(kind: AssetClass, traits: Traits, wishes: Wishes) -> tuple[Session, str]:
    """The session calendar and the note that says why."""
    if wishes.session is not None:
        return wishes.session, ""
    if traits.place is not None:
        session = session_for(traits.place) or _SESSIONS[kind]
    elif wishes.asset_class is None and kind is AssetClass.EQUITY:
        return WEEKDAYS, "session weekdays, UTC: the exchange is not known (--asset-class or --session says it)"
    else:
        session = _SESSIONS[kind]
    return session, f"session {session.name}, {session.periods_per_year} periods a year"


def instrument_of(traits: Traits, wishes: Wishes) -> tuple[Instrument, tuple[str, ...]]:
    """The instrument of one symbol and what was assumed, in words."""
    kind, why_kind = asset_class_of(traits, wishes)
    session, why_session = session_of(kind, traits, wishes)
    crypto = kind is AssetClass.CRYPTO
    pair = currencies_of(traits.symbol) if crypto or kind is AssetClass.FX else None
    base, quote = pair or (traits.symbol, "USD")
    notes = [why_kind, why_session]
    if wishes.currency is None and pair is None and traits.place is None:
        notes.append("currency taken for USD")
    if kind is AssetClass.FUTURE:
        notes.append("multiplier 1: one contract counts as one unit of its price")
    fees = wishes.fees
    if fees is None:
        fees = DEFAULT_FEES[kind]
        notes.append(f"fees {fees.text()}, the default for {kind.name.lower()}")
    instrument = Instrument(
        venue=traits.venue,
        symbol=traits.symbol,
        asset_class=kind,
        base_currency=base,
        quote_currency=wishes.currency or quote,
        price_decimals=traits.price_decimals,
        qty_decimals=_CRYPTO_DECIMALS if crypto else 0,
        settlement=Settlement.LINEAR if kind is AssetClass.FUTURE else Settlement.CASH,
        fees=fees,
        session=session,
    )
    return instrument, tuple(note for note in notes if note)
