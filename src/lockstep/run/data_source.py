"""A place that data of a run come from, and all that was said about how to read them."""

from pathlib import Path

import msgspec

from lockstep.model.fees import FeeSchedule
from lockstep.store.catalog.market_data import MarketData
from lockstep.store.catalog.readers import read_market_data


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """where: a path, a data set's name or "catalog", as `read_market_data` takes it; the others as there, too."""

    where: str
    symbols: tuple[str, ...] | None = None
    kind: str | None = None
    asset_class: str | None = None
    calendar: str | None = None
    currency: str | None = None

    def read(self, fees: FeeSchedule | None) -> list[MarketData]:
        """What is there, with these fees instead of the instruments' own. Raises: as `read_market_data`."""
        return read_market_data(
            self.where,
            symbols=self.symbols,
            asset_class=self.asset_class,
            session=self.calendar,
            fees=fees,
            currency=self.currency,
            kind=self.kind,
        )

    def reading(self) -> dict[str, object]:
        """How it is read, without where it lies: plain data that are the same on every machine."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name != "where"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}

    def path(self) -> Path | None:
        """The file or folder, absolute; None where it goes by a name."""
        path = Path(self.where)
        return path.absolute() if path.exists() else None
