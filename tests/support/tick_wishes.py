"""Random orders of every kind, near a price of a hundred."""

from hypothesis import strategies as st
from slow_ticks import NEVER, TickWish

OWNERS = 2


@st.composite
def tick_wishes(draw: st.DrawFn, now: int) -> TickWish:
    kind = draw(st.sampled_from(["market", "limit", "limit", "stop", "stop_limit", "trailing"]))
    stops = kind in ("stop", "stop_limit", "trailing")
    tif = draw(st.sampled_from(["GTC", "GTC", "GTD"] if stops else ["GTC", "GTC", "GTD", "IOC", "FOK"]))
    ppm = kind == "trailing" and draw(st.booleans())
    return TickWish(
        side=draw(st.sampled_from([1, -1])),
        qty=draw(st.integers(1, 12)),
        kind=kind,
        limit=draw(st.integers(96, 104)) if kind in ("limit", "stop_limit") else 0,
        stop=draw(st.integers(96, 104)) if kind in ("stop", "stop_limit") else 0,
        trail=draw(st.integers(1, 60_000) if ppm else st.integers(1, 5)) if kind == "trailing" else 0,
        ppm=ppm,
        tif=tif,
        expire=now + draw(st.integers(1, 20)) if tif == "GTD" else NEVER,
        display=draw(st.sampled_from([0, 0, -1, 1, 2])) if "limit" in kind and tif in ("GTC", "GTD") else 0,
        post_only=kind == "limit" and tif in ("GTC", "GTD") and draw(st.booleans()),
        reduce_only=draw(st.booleans()),
        owner=draw(st.integers(0, OWNERS - 1)),
        late=draw(st.booleans()),
    )
