"""A probable queue behind levels written again, as plainly as possible: lists, no early exits. Shares no code with the package."""

from dataclasses import dataclass, field


@dataclass
class One:
    """A probable order."""

    number: int
    qty: int
    block: bool = False


@dataclass
class SlowRebuilt:
    """Levels are (side, price). Nothing is removed from what waits before its time comes; all times are whole numbers."""

    lines: dict[tuple[int, int], list[One]] = field(default_factory=dict)
    shown: dict[tuple[int, int], int] = field(default_factory=dict)
    waits: list[tuple[tuple[int, int], int, int]] = field(default_factory=list)  # (level, how much, numbers until then)
    owed: list[tuple[tuple[int, int], int, int]] = field(default_factory=list)  # (level, how much, when)
    moment: int = -1
    count: int = 0
    oldest: bool = False
    joined: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def line(self, level: tuple[int, int]) -> list[One]:
        self.lines[level] = [one for one in self.lines.get(level, []) if one.qty]
        return self.lines[level]

    def _join(self, level: tuple[int, int], qty: int, block: bool = False) -> None:
        self.count += 1
        self.line(level).append(One(self.count, qty, block))

    def come_to(self, ts: int) -> None:
        if ts <= self.moment:
            return
        for level, qty, until in self.waits:
            self._lose(level, qty, until)
        self.waits = []
        for level, qty, when in self.owed:
            if qty and when <= self.moment:
                self._join(level, qty)
        self.owed = [entry for entry in self.owed if entry[1] and entry[2] > self.moment]

    def told(self, side: int, price: int, qty: int, ts: int) -> None:
        level = (side, price)
        self.come_to(ts)
        self.moment = max(self.moment, ts)
        change = qty - self.shown.get(level, 0)
        self.shown[level] = qty
        if change > 0:
            self.joined = [self.joined[0] + change, self.joined[1] + 1]
            self._join(level, change)
            return
        gone, self.owed = _net(-change, level, self.owed)
        if gone:
            self.waits.append((level, gone, self.count))

    def trade(self, side: int, price: int, qty: int, ts: int) -> None:
        self.come_to(ts)
        if side == 0:
            side = 1 if self.line((1, price)) else -1
        level, eaten = (side, price), 0
        for one in self.line(level):
            part = min(one.qty, qty - eaten)
            one.qty -= part
            eaten += part
        left, self.waits = _net(eaten, level, self.waits)
        if left:
            self.owed.append((level, left, ts))

    def whole(self, levels: dict[tuple[int, int], int], ts: int) -> None:
        self.moment, self.waits, self.owed = ts, [], []
        for level in list(self.lines):
            if not levels.get(level):
                self.lines[level] = []
        self.shown = dict(levels)
        for side in (1, -1):
            for level in sorted((key for key in levels if key[0] == side), key=lambda key: -side * key[1]):
                more = levels[level] - sum(one.qty for one in self.line(level))
                if more > 0:
                    self._join(level, more, True)
                elif more < 0:
                    self._lose(level, -more, self.count)

    def _lose(self, level: tuple[int, int], qty: int, until: int) -> None:
        while qty and self.line(level):
            there = [one for one in self.line(level) if one.number <= until] or self.line(level)
            same = [one for one in there if one.qty == qty]
            larger = [one for one in there if one.qty > qty]
            if same:
                one = same[0] if self.oldest else same[-1]
            elif larger:
                one = min(reversed(larger), key=lambda one: one.qty)
            else:
                one = max(reversed(there), key=lambda one: one.qty)
            part = min(one.qty, qty)
            one.qty -= part
            qty -= part

    def waiting(self, level: tuple[int, int]) -> int:
        """How much the queue is longer than what is shown."""
        return sum(e[1] for e in self.waits if e[0] == level) - sum(e[1] for e in self.owed if e[0] == level)

    def orders(self, level: tuple[int, int]) -> int:
        usual = self.joined[0] / self.joined[1] if self.joined[1] else 0
        return sum(max(1, int(one.qty / usual + 0.5)) if one.block and usual else 1 for one in self.line(level))


def _net(
    qty: int, level: tuple[int, int], entries: list[tuple[tuple[int, int], int, int]]
) -> tuple[int, list[tuple[tuple[int, int], int, int]]]:
    """What is left of a quantity and of the entries of its level, the first ones first."""
    left = []
    for at, there, when in entries:
        part = min(qty, there) if at == level else 0
        qty -= part
        left.append((at, there - part, when))
    return qty, left
