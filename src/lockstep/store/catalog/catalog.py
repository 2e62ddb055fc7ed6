"""The catalog: which data sets there are, by name, and what each holds."""

from pathlib import Path

import msgspec

from lockstep.model.errors import DataError
from lockstep.store.catalog import places
from lockstep.store.catalog.readers import read_market_data


class DatasetEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One data set, over all its symbols.

    kind: "shipped" or "local"; first_ns, last_ns: ns UTC; problem: why it cannot be read, or "" (where it cannot,
    symbols is empty and the numbers are 0).
    """

    name: str
    kind: str
    symbols: tuple[str, ...]
    rows: int
    first_ns: int
    last_ns: int
    where: str
    problem: str = ""


class Catalog:
    """The data sets that ship with the package, and the files and folders a user put under home/data.

    A local data set is named by the stem of its file or by its folder; a local one hides a shipped one of the same name.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = places.default_home() if home is None else home

    def datasets(self) -> list[DatasetEntry]:
        """Every data set by name. Each is read whole, as only that tells whether it can be used."""
        return [self.show(name) for name in sorted(self._paths())]

    def show(self, name: str) -> DatasetEntry:
        """One data set; what is wrong with its data stands in `problem`. Raises: UsageError: no such name."""
        path = self.resolve(name)
        kind = "shipped" if path in places.shipped().values() else "local"
        try:
            data = read_market_data(path)
        except DataError as e:
            return DatasetEntry(
                name=name, kind=kind, symbols=(), rows=0, first_ns=0, last_ns=0, where=str(path), problem=str(e)
            )
        return DatasetEntry(
            name=name,
            kind=kind,
            symbols=tuple(one.instrument.symbol for one in data),
            rows=sum(one.info.rows for one in data),
            first_ns=min(one.info.first_ns for one in data),
            last_ns=max(one.info.last_ns for one in data),
            where=str(path),
        )

    def resolve(self, name: str) -> Path:
        """The path of a data set. Raises: UsageError: no such name; a path is never one."""
        return places.named(name, self.home)

    def _paths(self) -> dict[str, Path]:
        return {**places.shipped(), **places.local(self.home)}
