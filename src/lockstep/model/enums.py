"""The field's words as small integers. Values are part of the journal format: append, never renumber."""

from enum import IntEnum, IntFlag


class Side(IntEnum):
    """Which way an order or fill goes; the value is the sign of the position change."""

    BUY = 1
    SELL = -1


class OrderType(IntEnum):
    """FIX OrdType in words. TRAILING_STOP: a stop that follows the best price since it arrived (FIX: pegged stop)."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4
    TRAILING_STOP = 5


class OrderFlag(IntFlag):
    """What an order may not do, and how its trail is meant. Packed into the decision record, so at most three bits.

    POST_ONLY: never takes, it is rejected instead. REDUCE_ONLY: never opens or turns its strategy's position. TRAIL_PPM:
    the trail of a TRAILING_STOP is in millionths of the price instead of price units.
    """

    POST_ONLY = 1
    REDUCE_ONLY = 2
    TRAIL_PPM = 4


class TimeInForce(IntEnum):
    """FIX TimeInForce in words. DAY ends with the session (UTC midnight where there is no session calendar)."""

    DAY = 0
    GTC = 1
    IOC = 3
    FOK = 4
    GTD = 6


class Liquidity(IntEnum):
    """Whether a fill rested in the book (maker) or took from it (taker)."""

    MAKER = 1
    TAKER = 2


class AssetClass(IntEnum):
    """What kind of thing is traded."""

    EQUITY = 1
    CRYPTO = 2
    FX = 3
    FUTURE = 4
    OPTION = 5
    INDEX = 6


class Settlement(IntEnum):
    """How a fill becomes money.

    CASH: the whole notional changes hands (shares, spot coins). LINEAR: only profit and loss, in the quote currency.
    INVERSE: only profit and loss, in the base currency, through 1/price. QUANTO: as LINEAR, at a fixed rate into
    another currency.
    """

    CASH = 1
    LINEAR = 2
    INVERSE = 3
    QUANTO = 4


class EventKind(IntEnum):
    """What an input of the engine is. The value is also its rank among events of the same clock."""

    CORPORATE_ACTION = 0
    VENUE_REPORT = 1
    BOOK = 2
    TRADE = 3
    QUOTE = 4
    BAR = 5
    TIMER = 6


class CorporateAction(IntEnum):
    """What a CORPORATE_ACTION record says."""

    SPLIT = 1
    DIVIDEND = 2
    FUNDING = 3
    BORROW = 4


class BookAction(IntEnum):
    """What a book update does. SET gives a level its whole quantity, 0 removes it; the four after it are about one order.

    MODIFY: its quantity and price from now on. MATCH: so much of it was executed. CLEAR: one side, or both where no side is
    said, is empty: a full book follows. STATUS: what the book is worth from here on, see `BookState`.
    """

    SET = 1
    ADD = 2
    MODIFY = 3
    DELETE = 4
    CLEAR = 5
    MATCH = 6
    STATUS = 7


class BookState(IntEnum):
    """What a book can be trusted for. Only GOOD is a market that an order would meet as it stands.

    EMPTY: nothing came yet. RESYNCING: something is missing, until a full book comes. STALE: it has not been told for too
    long. AUCTION: orders are collected, and bids and asks may cross.
    """

    EMPTY = 0
    GOOD = 1
    RESYNCING = 2
    STALE = 3
    AUCTION = 4


class BookFault(IntEnum):
    """Why a book is not GOOD, or what was wrong with one of its updates."""

    NONE = 0
    NO_SNAPSHOT = 1
    GAP = 2
    OUT_OF_ORDER = 3
    CROSSED = 4
    NEGATIVE_QTY = 5
    OFF_TICK = 6
    UNKNOWN_ORDER = 7
    KNOWN_ORDER = 8
    OVER_MATCHED = 9
    CHECKSUM = 10
    SILENT = 11
    VENUE = 12
    UNKNOWN_ACTION = 13


class OrderState(IntEnum):
    """Where an order stands. `orders.table` holds the transitions and the FIX OrdStatus of each."""

    NEW = 0
    DENIED = 1
    PENDING_NEW = 2
    ACKNOWLEDGED = 3
    TRIGGERED = 4
    PARTIAL_FILL = 5
    FILLED = 6
    PENDING_CANCEL = 7
    PENDING_REPLACE = 8
    CANCELED = 9
    REJECTED = 10
    EXPIRED = 11
    UNKNOWN = 12


class OrderEventKind(IntEnum):
    """What can happen to an order: requests of ours first, then the venue's word.

    CORRECT, BUST: a past execution is not what it was, or never was (FIX ExecType G and H).
    """

    SUBMIT = 0
    DENY = 1
    CANCEL_REQUEST = 2
    REPLACE_REQUEST = 3
    LOSE = 4
    ACCEPT = 5
    REJECT = 6
    TRIGGER = 7
    PARTIAL = 8
    FILL = 9
    CANCEL = 10
    CANCEL_REJECT = 11
    REPLACE = 12
    REPLACE_REJECT = 13
    EXPIRE = 14
    RESTATE = 15
    CORRECT = 16
    BUST = 17


class Reason(IntEnum):
    """Why a venue or the risk gate said no, or why an order ended. Zero is "no reason given". Six bits in the record;
    from 33 to 54: risk alone.

    LINKED: another order of its group filled, or there is nothing left for it to close. SUSPENDED: the instrument is, see `engine.suspend`; only what reduces passes.
    NOT_SENT: it never left, since its journal record could not be kept or the venue had not yet said what it knows.
    """

    NONE = 0
    ORDER_QTY = 1
    POSITION = 2
    BUYING_POWER = 3
    NO_REFERENCE_PRICE = 4
    OUTSIDE_HOURS = 5
    PRICE_BAND = 6
    UNKNOWN_ORDER = 7
    TOO_LATE = 8
    TIME_IN_FORCE = 9
    CORPORATE_ACTION = 10
    COOLDOWN = 11
    END_OF_DATA = 12
    INSTRUMENT_RULES = 13
    POST_ONLY = 14
    REDUCE_ONLY = 15
    SUSPENDED = 16
    LINKED = 17
    ORDER_NOTIONAL = 33
    POSITION_NOTIONAL = 34
    STRATEGY_POSITION = 35
    OPEN_ORDERS = 36
    STRATEGY_OPEN_ORDERS = 37
    ACCOUNT_OPEN_ORDERS = 38
    POSITIONS = 39
    GROSS_EXPOSURE = 40
    NET_EXPOSURE = 41
    LEVERAGE = 42
    SELF_TRADE = 43
    STALE_PRICE = 44
    DUPLICATE = 45
    THROTTLE = 46
    STRATEGY_THROTTLE = 47
    ACCOUNT_THROTTLE = 48
    CANCEL_THROTTLE = 49
    DAILY_LOSS = 50
    DRAWDOWN = 51
    REFUSALS = 52
    KILL_SWITCH = 53
    SYSTEM_ERROR = 54
    NOT_SENT = 60


class Who(IntEnum):
    """Who brought a record of the decision log about, where it is not who its kind names."""

    STRATEGY = 0
    SYSTEM = 1
    TRADER = 2
    VENUE = 3


class SignalAction(IntEnum):
    """What a signal advises."""

    BUY = 1
    SELL = -1
    HOLD = 0
