"""The in-house checker: rules of the design that no general linter knows. Run: `python tools/tidy.py`.

Reads sources as syntax trees, so it is fast and imports nothing it checks. A finding is waived on its line, or on the
line above, by `# tidy: allow <rule> - <why>`; for a whole file (`file_length`) anywhere in it. A waiver needs its why,
and one that waives nothing is itself a finding.
"""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from tidy_rooms import CORE_ROOMS, room_of, rooms_below

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
TEXT_SUFFIXES = {
    ".py",
    ".pyi",
    ".pxd",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".cfg",
    ".txt",
    ".sh",
    ".json",
    ".in",
    ".tmpl",
    ".css",
    ".js",
    ".html",
}
VAGUE_NAMES = {"utils", "util", "common", "helper", "helpers", "manager", "managers", "misc"}

CLOCK_MODULES = {"time", "sched", "timeit"}
CLOCK_CALLS = {"now", "utcnow", "today"}
CHANCE_MODULES = {"random", "secrets", "uuid"}
IO_MODULES = {
    "os", "io", "pathlib", "socket", "socketserver", "select", "selectors", "ssl", "subprocess", "shutil", "tempfile", "glob",
    "urllib", "http", "sqlite3", "mmap", "duckdb", "csv", "fileinput",
}  # fmt: skip
IO_CALLS = {"open", "print", "input", "breakpoint"}
CONCURRENT_MODULES = {"asyncio", "threading", "multiprocessing", "concurrent", "queue", "_thread", "signal"}
LOGGING_MODULES = {"logging", "syslog"}
CODE_READERS = {"pickle", "cPickle", "dill", "marshal", "shelve"}
CORE_IMPORTS = {
    **dict.fromkeys(CLOCK_MODULES, ("clock", "time is data: take ts_event or ts_recv from the event")),
    **dict.fromkeys(CHANCE_MODULES, ("chance", "chance is data: draw from the seeded stream in the state")),
    **dict.fromkeys(IO_MODULES, ("io", "effects live in the shell: take the values as arguments")),
    **dict.fromkeys(CONCURRENT_MODULES, ("concurrency", "one thread owns an engine: concurrency lives in the shell")),
    **dict.fromkeys(LOGGING_MODULES, ("logging", "the core returns events; the shell logs them")),
}

# A machine's own folders, and the hosts that packages come from: neither is true anywhere else.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|mnt|opt|srv)/\w|\b[A-Z]:\\{1,2}Users\b")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org|crates\.io|proxy\.golang\.org|anaconda\.org)\b"
)
WAIVER = re.compile(r"#\s*tidy:\s*allow\s+(?P<rule>[a-z_]+)(?:\s*-\s*(?P<why>\S.*))?")


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule, where it stands and what to do about it."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def comments(source: str) -> Iterator[tuple[int, str, bool]]:
    """(line, text, whether it stands alone) of every comment; text inside a string is none."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, token.line.lstrip().startswith("#")


@dataclass
class Waivers:
    """The waivers of one file, by (line, rule), and which of them were needed."""

    at: dict[tuple[int, str], int] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    whyless: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def read(cls, source: str) -> "Waivers":
        """Collect every waiver that stands in a comment; one without a reason waives nothing."""
        waivers = cls()
        for number, text, alone in comments(source):
            found = WAIVER.search(text)
            if found is None:
                continue
            if not found["why"]:
                waivers.whyless.append((number, found["rule"]))
                continue
            for line in (number, number + 1) if alone else (number,):
                waivers.at[line, found["rule"]] = number
        return waivers

    def waive(self, finding: Finding) -> bool:
        """Whether this finding is allowed; remembers that the waiver was needed."""
        if finding.rule == "file_length":
            places = [place for (_, rule), place in self.at.items() if rule == "file_length"]
        else:
            places = [self.at[finding.line, finding.rule]] if (finding.line, finding.rule) in self.at else []
        self.used.update(places)
        return bool(places)

    def complaints(self, path: str) -> Iterator[Finding]:
        """Waivers that explain nothing or excuse nothing."""
        for line, rule in self.whyless:
            yield Finding(path, line, "waiver", f"says no reason: write `# tidy: allow {rule} - <why>`")
        for place in sorted(set(self.at.values()) - self.used):
            yield Finding(path, place, "waiver", "excuses nothing: delete it")


Found = tuple[int, str, str]  # line, rule, message


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, module) of every import in a file, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def called_name(node: ast.Call) -> tuple[str, str]:
    """(owner, name) of a call: `os.system()` gives ("os", "system"), `open()` gives ("", "open")."""
    if isinstance(node.func, ast.Name):
        return "", node.func.id
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        last = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        return last, node.func.attr
    return "", ""


def check_core_imports(tree: ast.Module) -> Iterator[Found]:
    """Core rooms import no clock, chance, I/O, concurrency or logging."""
    for line, name in imports(tree):
        if reason := CORE_IMPORTS.get(name.split(".")[0]):
            yield line, reason[0], f"imports {name}: {reason[1]}"
        if name.startswith("numpy.random"):
            yield line, "chance", "imports numpy.random: draw from the seeded stream in the state"


def check_core_calls(tree: ast.Module) -> Iterator[Found]:
    """Core rooms read no clock, draw no chance, do no I/O and never depend on the process's own hashes and addresses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            owner, name = called_name(node)
            if name in CLOCK_CALLS and owner in {"datetime", "date", "Timestamp", "pd"}:
                yield node.lineno, "clock", f"{owner}.{name}() reads the clock: time arrives with the event"
            if owner == "random" or (name == "default_rng"):
                yield node.lineno, "chance", f"{owner}.{name}() draws chance: use the seeded stream in the state"
            if not owner and name in IO_CALLS:
                yield node.lineno, "io", f"{name}() is an effect: return the value and let the shell do it"
            if not owner and name == "id":
                yield node.lineno, "hash_order", "id() differs from process to process: use a counter in the state"
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "concurrency", "the core never awaits: concurrency lives in the shell"
        elif isinstance(node, ast.Global):
            yield node.lineno, "global_state", f"writes the global {', '.join(node.names)}: state belongs to an object"
    yield from hash_calls(tree)


def hash_calls(tree: ast.Module) -> Iterator[Found]:
    """`hash()` of text depends on PYTHONHASHSEED; only `__hash__` itself may call it."""
    own = {
        id(call)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__hash__"
        for call in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) == ("", "hash") and id(node) not in own:
            yield node.lineno, "hash_order", "hash() of text differs from process to process: use a digest"


def is_set(node: ast.expr | None, names: frozenset[str]) -> bool:
    """Whether an expression is plainly a set: a literal, a comprehension, set(...), or a name known to hold one."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return is_set(node.left, names) or is_set(node.right, names)
    if isinstance(node, ast.Call) and called_name(node)[0] == "":
        return called_name(node)[1] in {"set", "frozenset"}
    if isinstance(node, ast.Name):
        return node.id in names
    return (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}" in names
    )


def known_sets(tree: ast.Module) -> frozenset[str]:
    """Names (`x`, `self.x`) that are assigned or annotated as a set anywhere in the file: cheap, and enough."""
    names: set[str] = set()
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.AnnAssign):
            annotation = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
            if (isinstance(annotation, ast.Name) and annotation.id in {"set", "frozenset"}) or is_set(
                node.value, frozenset()
            ):
                targets = [node.target]
        elif isinstance(node, ast.Assign) and is_set(node.value, frozenset()):
            targets = node.targets
        names.update(ast.unparse(target) for target in targets)
    return frozenset(names)


def check_set_order(tree: ast.Module) -> Iterator[Found]:
    """A set of text is walked in another order in another process; so the core walks sets only through sorted()."""
    names = known_sets(tree)
    for node in ast.walk(tree):
        walked: list[ast.expr] = []
        if isinstance(node, ast.For | ast.comprehension):
            walked = [node.iter]
        elif isinstance(node, ast.Call) and called_name(node) in {
            ("", "list"),
            ("", "tuple"),
            ("", "enumerate"),
            ("", "next"),
        }:
            walked = list(node.args[:1])
        elif (
            isinstance(node, ast.Call)
            and called_name(node)[1] == "pop"
            and not node.args
            and isinstance(node.func, ast.Attribute)
        ):
            walked = [node.func.value]
        for expr in walked:
            inner = (
                expr.args[0] if isinstance(expr, ast.Call) and called_name(expr) == ("", "iter") and expr.args else expr
            )
            if is_set(inner, names):
                yield (
                    expr.lineno,
                    "set_order",
                    "walks a set: its order differs between processes; walk sorted(...) or a dict",
                )


def check_layers(path: str, tree: ast.Module) -> Iterator[Found]:
    """`cython.cimports.lockstep.x` is an import too, and import-linter cannot see it."""
    for line, name in imports(tree):
        if name.startswith("cython.cimports.lockstep"):
            yield from layer_break(path, name.removeprefix("cython.cimports."), line)


def layer_break(path: str, imported: str, line: int) -> Iterator[Found]:
    """One C import, checked against the layers."""
    room, other = room_of(path), imported.split(".")[1] if "." in imported else None
    if room and other and other != room and other not in rooms_below(room):
        yield line, "layer", f"{room} cimports {imported}: rooms import downwards only"


def check_pxd(path: str, lines: list[str]) -> Iterator[Found]:
    """The C imports of a `.pxd`."""
    for number, text in enumerate(lines, 1):
        if found := re.match(r"\s*(?:from\s+(lockstep[\w.]*)\s+cimport|cimport\s+(lockstep[\w.]*))", text):
            yield from layer_break(path, found[1] or found[2], number)


def check_danger(tree: ast.Module) -> Iterator[Found]:
    """Nothing in the tree runs data as code or text as a shell command."""
    for line, name in imports(tree):
        if name.split(".")[0] in CODE_READERS:
            yield line, "danger", f"imports {name}: reading it can run code; use a format with a schema version"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        owner, name = called_name(node)
        if isinstance(node.func, ast.Name) and name in {"eval", "exec"}:
            yield node.lineno, "danger", f"{name}() runs text as code"
        if (owner, name) in {("os", "system"), ("os", "popen"), ("yaml", "load"), ("yaml", "unsafe_load")}:
            yield node.lineno, "danger", f"{owner}.{name}() runs what it reads"
        if any(
            k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in node.keywords
        ):
            yield node.lineno, "danger", "shell=True: pass a list of arguments"


def check_length(tree: ast.Module) -> Iterator[Found]:
    """Functions that no longer fit on a screen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield (
                    node.lineno,
                    "function_length",
                    f"{node.name} has {length} lines, limit {FUNCTION_LINES_MAX}: split it by what it knows",
                )


def check_unfinished(tree: ast.Module) -> Iterator[Found]:
    """Nothing that ships is a promise."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and raised.id == "NotImplementedError":
                yield node.lineno, "unfinished", "raises NotImplementedError: a missing case is an answer with a reason"


def check_text(lines: list[str]) -> Iterator[Found]:
    """Any tracked text: no path or host that is true on one machine only."""
    for number, text in enumerate(lines, 1):
        if found := MACHINE_PATH.search(text):
            yield (
                number,
                "machine_path",
                f"{found[0]!r} exists on one machine only: take it from the environment or a setting",
            )
        if found := REGISTRY_HOST.search(text):
            yield number, "registry_host", f"names the host {found[0]}: name the package, its client knows where from"


def check_python(path: str, source: str) -> Iterator[Found]:
    """Every rule for one Python file; the core's own rules where the file lies in a core room."""
    tree = ast.parse(source, path)
    shipped = path.startswith("src/")
    checks: list[Callable[[ast.Module], Iterator[Found]]] = [check_danger, check_length]
    if shipped:
        checks.append(check_unfinished)
    if room_of(path) in CORE_ROOMS:
        checks += [check_core_imports, check_core_calls, check_set_order]
    for check in checks:
        yield from check(tree)
    yield from check_layers(path, tree)
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        yield 1, "file_length", f"{lines} lines, limit {FILE_LINES_MAX}: split it where the nouns split"


def check_file(path: str, source: str) -> list[Finding]:
    """Every finding in one file, waivers applied.

    Args:
        path: relative to the repository, with forward slashes; it decides which rules hold.
        source: the file's text.
    """
    lines = source.splitlines()
    found = list(check_text(lines))
    parts = Path(path).parts
    vague = sorted(VAGUE_NAMES & {Path(part).stem.lower() for part in parts})
    if path.endswith((".py", ".pxd", ".pyi")) and vague:
        found.append((1, "vague_name", f"{vague[0]!r} names no noun: call the module by what it knows"))
    if path.endswith(".py"):
        found += check_python(path, source)
    if path.endswith(".pxd"):
        found += check_pxd(path, lines)
    waivers = Waivers.read(source) if path.endswith((".py", ".pxd", ".pyi")) else Waivers()
    findings = [Finding(path, line, rule, message) for line, rule, message in found]
    kept = [finding for finding in findings if not waivers.waive(finding)]
    return sorted({*kept, *waivers.complaints(path)})


def tracked_files(root: Path) -> list[str]:
    """Files under version control or about to be; without git (a source archive) every file outside hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        names = listed.stdout.splitlines()
    else:
        inside = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        names = [p.as_posix() for p in inside if not any(part.startswith(".") or part == "build" for part in p.parts)]
    return sorted(name for name in names if (root / name).is_file())


def is_text(name: str) -> bool:
    """Whether the text rules apply: sources, documents and configuration, by name."""
    return Path(name).suffix in TEXT_SUFFIXES or Path(name).name in {"Makefile", "run", ".gitignore"}


def check_tree(root: Path) -> list[Finding]:
    """Every finding in the repository."""
    findings: list[Finding] = []
    for name in tracked_files(root):
        if is_text(name):
            findings += check_file(name, (root / name).read_text(encoding="utf-8"))
    return findings


def main() -> int:
    """Print what is untidy; the exit code says whether anything is."""
    findings = check_tree(Path(__file__).resolve().parent.parent)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
