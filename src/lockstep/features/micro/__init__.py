"""Features of the market's microstructure: of books and trades, each one number that compiled code keeps up to date.

Of the book as it stands: `Spread Mid WAP DepthMid Imbalance Microprice`. Of what happens: `OFI mlofi TFI SignRun QueueDepletion`.
Of equal intervals: `KyleLambda RealisedVolatility`. Of other features: `Lagged Gap LinearPrediction`. `MarketFeatures` drives several;
`batch.table` runs them over a recording, with the same bits.
"""

from lockstep.features.micro.base import MarketFeature
from lockstep.features.micro.combined import Gap, Lagged, LinearPrediction
from lockstep.features.micro.flow import OFI, TFI, QueueDepletion, SignRun, mlofi
from lockstep.features.micro.sampled import KyleLambda, RealisedVolatility
from lockstep.features.micro.stream import MarketFeatures
from lockstep.features.micro.touch import WAP, DepthMid, Imbalance, Microprice, Mid, Spread

__all__ = [
    "OFI",
    "TFI",
    "WAP",
    "DepthMid",
    "Gap",
    "Imbalance",
    "KyleLambda",
    "Lagged",
    "LinearPrediction",
    "MarketFeature",
    "MarketFeatures",
    "Microprice",
    "Mid",
    "QueueDepletion",
    "RealisedVolatility",
    "SignRun",
    "Spread",
    "mlofi",
]
