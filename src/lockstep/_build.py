"""What is compiled and from what: the build records it, a test and `lockstep doctor` find a stale `.so` by it."""

import hashlib
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
HASHES = PACKAGE / "_build_hashes.json"

# `from a.b cimport c, d`, `cimport a.b`, and both in pure-Python spelling: `from cython.cimports.a.b import c`.
CIMPORT = re.compile(
    r"^\s*(?:from\s+(?:cython\.cimports\.(?P<pure>lockstep[\w.]*)\s+import|(?P<c>lockstep[\w.]*)\s+cimport)"
    r"\s+(?P<names>\([^)]*\)|[^\n#]*)|(?:import\s+cython\.cimports\.|cimport\s+)(?P<whole>lockstep[\w.]*))",
    re.MULTILINE,
)


def hot_modules(package: Path = PACKAGE) -> list[Path]:
    """Every source that is compiled, in a fixed order: a `.py` with a `.pxd` beside it."""
    return sorted(pxd.with_suffix(".py") for pxd in package.rglob("*.pxd") if pxd.with_suffix(".py").exists())


def module_name(path: Path, package: Path = PACKAGE) -> str:
    """`src/lockstep/book/l2.py` is `lockstep.book.l2`."""
    return ".".join(path.relative_to(package.parent).with_suffix("").parts)


def declarations(source: Path, package: Path = PACKAGE) -> set[Path]:
    """The `.pxd` files a source is compiled against: its own, those it cimports, and those these cimport."""
    found: set[Path] = set()
    waiting = [source, source.with_suffix(".pxd")]
    while waiting:
        path = waiting.pop()
        if path in found or not path.exists():
            continue
        if path.suffix == ".pxd":
            found.add(path)
        for cimport in CIMPORT.finditer(path.read_text(encoding="utf-8")):
            module = cimport["pure"] or cimport["c"] or cimport["whole"]
            names = re.findall(r"\w+", cimport["names"] or "")
            modules = [module, *(f"{module}.{name}" for name in names)]
            waiting += [package.parent.joinpath(*name.split(".")).with_suffix(".pxd") for name in modules]
    return found


def source_hashes(package: Path = PACKAGE) -> dict[str, str]:
    """What each compiled module is made from, as one SHA-256: its source and every declaration it reads."""
    hashes = {}
    for path in hot_modules(package):
        parts = [path, *sorted(declarations(path, package))]
        digest = hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts))
        hashes[module_name(path, package)] = digest.hexdigest()
    return hashes
