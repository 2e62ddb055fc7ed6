"""What the risk gate looked at when an order came in: each check it came to, with its limit and what the order made of it.

The first that does not pass is the one that refuses; the checks after it were not come to. Rules without a limit are not
among them, but for those that need none.
"""

import math
from itertools import takewhile
from typing import Any

from lockstep.model.enums import Reason

Check = dict[str, Any]


def checks_of(heard: list[Any], order_id: int) -> list[Check]:
    """The checks of one order, in the order in which they were asked: rule, limit, actual (None: no number), passed.

    Args: heard: what `Desk.heard` has collected.
    """
    if order_id not in heard:
        return []  # refused before the gate was asked
    mine = takewhile(lambda entry: not isinstance(entry, int), heard[heard.index(order_id) + 1 :])
    return [
        {"rule": Reason(rule).name, "limit": _number(limit), "actual": _number(actual), "passed": passed}
        for rule, limit, actual, passed in dict.fromkeys(mine)  # an order's size is looked at twice
    ]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
