"""What the readers of crypto venues share: levels of texts, listings, times in milliseconds."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from lockstep.model.enums import AssetClass, Settlement
from lockstep.model.sessions import ALWAYS
from lockstep.store.catalog.books.joined import Levels, PushedBook
from lockstep.store.catalog.books.tape import Listing, Pen
from lockstep.store.catalog.books.units import PRICE_SCALE, QTY_SCALE, units_of

NANOS_PER_MS = 1_000_000


def levels_from(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> Levels:
    """(side, price, quantity) of levels written as texts. Raises: ParseError: no number, or too fine."""
    return [
        (side, units_of(price, PRICE_SCALE), units_of(qty, QTY_SCALE))
        for side, levels in ((1, bids), (-1, asks))
        for price, qty in levels
    ]


def listing_of(
    symbol: str,
    venue: str,
    *,
    base: str = "",
    quote: str = "",
    asset_class: AssetClass = AssetClass.CRYPTO,
    settlement: Settlement = Settlement.CASH,
    multiplier: Decimal = Decimal(1),
    notes: tuple[str, ...] = (),
) -> Listing:
    """A listing at the scales that texts are read at."""
    return Listing(
        symbol=symbol,
        venue=venue,
        asset_class=asset_class,
        base=base,
        quote=quote,
        multiplier=multiplier,
        settlement=settlement,
        session=ALWAYS,
        price_scale=PRICE_SCALE,
        qty_scale=QTY_SCALE,
        notes=notes,
    )


class PushedBooks:
    """The books of a venue that pushes them whole; they go on from file to file."""

    def __init__(self, listing: Callable[[str], Listing]) -> None:
        self._listing = listing
        self._books: dict[str, PushedBook] = {}
        self._pens: dict[str, Pen] = {}

    def of(self, key: str, pen: Pen) -> PushedBook:
        """The book of an instrument. key: what the listing is made from."""
        book = self._books.get(key)
        if book is None or self._pens.get(key) is not pen:
            tape = pen.tape(self._listing(key))
            book = self._books.setdefault(key, PushedBook(tape))
            self._pens[key] = pen
        return book

    def all(self) -> list[PushedBook]:
        """Every book so far."""
        return list(self._books.values())
