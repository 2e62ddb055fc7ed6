"""Lockstep: one strategy file, the same decisions everywhere.

`LOCKSTEP_PURE=1`, set before the first import, runs the hot modules uncompiled, for debugging and coverage.
"""

import os
import sys

from lockstep._version import __version__ as __version__

if os.environ.get("LOCKSTEP_PURE", "") not in ("", "0"):
    from lockstep._pure import install

    install(sys.meta_path, __path__[0])
