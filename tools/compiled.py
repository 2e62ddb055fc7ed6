"""What is compiled and from what, for the build and its tests: the package knows it (`lockstep doctor` asks as well)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from lockstep._build import HASHES, PACKAGE, declarations, hot_modules, module_name, source_hashes

__all__ = ["HASHES", "PACKAGE", "declarations", "hot_modules", "module_name", "source_hashes"]
