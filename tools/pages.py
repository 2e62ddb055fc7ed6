"""Writes what the documents repeat of the program: `python tools/pages.py`; with `--check` it only says what is stale.

docs/reference/cli.md is every command's own help, docs/reference/order-states.md the order table, docs/reference/settings.md
the schema of settings files, README.md shows what the demo printed, and PERFORMANCE.md the figures of benchmarks/latest.json.
A test runs the check, so that none of them can drift from the program.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from lockstep.app.cli.root import COMMANDS, cli
from lockstep.model.enums import OrderEventKind, OrderState
from lockstep.orders.table import AMEND, ANOMALY, FIX_ORD_STATUS, IGNORED, IMPOSSIBLE, LATE, RESUME, TABLE, TERMINAL
from lockstep.run.settings.presets import PRESETS
from lockstep.run.settings.schema import reference_rows

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.page import with_figures  # noqa: E402 - the repository root is no installed package
from benchmarks.report import read_latest  # noqa: E402

WIDTH = 100
GENERATED = "<!-- written by tools/pages.py: edit the program, then run `python tools/pages.py` -->\n\n"
DEMO = re.compile(r"(?<=<!-- demo -->\n```text\n).*?(?=```\n<!-- /demo -->)", re.DOTALL)

CLI_INTRO = """\
# Command line

Every command takes `--json` and then prints exactly one object, be it the result or the error (`play` prints one a line: each
break, then the result). Every help ends in an example that runs as it stands. `--traceback` shows where in the code an error
arose; without it an error is one line, with a second one that says what to do.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed: data that breaks a rule, a strategy that raised, a folder that cannot be written |
| 2 | the command line made no sense: an unknown command, option, data set or parameter value |
| 130 | interrupted |

Dates are ISO and UTC unless a zone is given. `--data` takes a path or a name from `lockstep data list`. What is kept under
`LOCKSTEP_HOME` (by default `~/.lockstep`) is your own data alone; runs go to `runs/` in the folder you are in.
"""

STATES_INTRO = """\
# Order states

An order is in one of these states, and the table below is the only thing that moves it. It is the table the program runs
on (`lockstep.orders.table`), printed. The venue model keeps an order record of its own and never sees this one, so that the
two can disagree and be caught.

`strategy.buy(...)` returns the `Order`; `order.state` is its state, `order.reason` says why it was denied, rejected,
cancelled, expired or restated, and every change arrives in `on_order`. The quantity filled so far stands beside the state, so
an order that is being cancelled may well have fills.

The number of an order, `order.id`, is its own for life. `order.client_id` is what a venue knows it under (FIX ClOrdID): `7`, and
`7.1`, `7.2` as it is replaced, each made from the one that stood (OrigClOrdID); one that was refused is not used again. An execution has the venue's number: one that is
heard twice is booked once, a correction or bust names the one it is about, and both change position and cash even of an order
that is done. The last 1,024 orders that are done are kept for that; an execution of an older one, or of one that was never ours,
is in no book: it is recorded, and the instrument is suspended, as it is when more is filled than was ordered. While it is suspended only
orders that reduce pass, until `engine.lift`. Nothing is filled late or twice by the simulated venue: these are what real ones do.

An order whose fate is not known (no answer in time, a session lost) is made `UNKNOWN` by `engine.lose(order_id)`. It keeps all it
reserves and cannot be replaced; no time and no request of ours ends it. A report that names the order does: what it says is where the order
stands. "Not found" to a cancel proves nothing, since the order may still be on its way; it is an end only where the venue itself
rejects the order, after the time within which it promises to know its orders.
"""

SETTINGS_INTRO = """\
# Settings files

Every key of the file that `lockstep run --config FILE` runs, in TOML, YAML or JSON. The guide is
[Configuration](../guides/configuration.md); `lockstep config schema` prints the same as JSON Schema. Numbers may be written as
texts; a list of names may be one text with commas. A key that is not in these tables is refused.
"""

PRESETS_INTRO = """\
`venue.preset` sets these; where a cell is empty the default above holds. They err on the dear side and are no broker's tariff;
`perfect` is for comparing with other programs only.
"""

STATE_WORDS = {
    OrderState.NEW: "created here, not yet judged",
    OrderState.DENIED: "the risk gate said no; it was never sent",
    OrderState.PENDING_NEW: "sent, no word from the venue yet",
    OrderState.ACKNOWLEDGED: "the venue has it",
    OrderState.TRIGGERED: "a stop whose price was met",
    OrderState.PARTIAL_FILL: "some of it is filled, the rest is working",
    OrderState.FILLED: "all of it is filled",
    OrderState.PENDING_CANCEL: "a cancel is on its way; it may still fill",
    OrderState.PENDING_REPLACE: "a replacement is on its way; it may still fill",
    OrderState.CANCELED: "cancelled, by us or by the venue",
    OrderState.REJECTED: "the venue said no",
    OrderState.EXPIRED: "its time in force ended",
    OrderState.UNKNOWN: "its fate is not known; it ends by the venue's word alone, never by a timeout",
}
ANSWERS = {
    IGNORED: ("ignored", "harmless: counted and recorded, the state stays"),
    ANOMALY: ("anomaly", "the venue's word against our view: counted, recorded and raised; the state stays"),
    IMPOSSIBLE: ("impossible", "our own fault: the engine halts"),
    RESUME: ("resume", "back to the state before the pending request"),
    LATE: (
        "late",
        "booked, since the venue's word stands: position and cash change, the state does not; counted and raised",
    ),
    AMEND: ("amend", "what is filled changed, and the state follows from it"),
}


def pages() -> dict[Path, str]:
    """What each document should hold, by its path."""
    readme = ROOT / "README.md"
    performance = ROOT / "PERFORMANCE.md"
    figures = read_latest(ROOT / "benchmarks" / "latest.json")
    return {
        ROOT / "docs/reference/cli.md": cli_page(),
        ROOT / "docs/reference/order-states.md": states_page(),
        ROOT / "docs/reference/settings.md": settings_page(),
        readme: DEMO.sub(lambda _: demo_output(), readme.read_text(encoding="utf-8")),
        performance: with_figures(performance.read_text(encoding="utf-8"), figures),
    }


def cli_page() -> str:
    """Every command's help, in the order of `lockstep --help`."""
    parts = [CLI_INTRO, GENERATED.rstrip() + "\n", block(help_of([]))]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        below = sorted(command.commands) if isinstance(command, click.Group) else []
        parts += [f"## {name}\n", block(help_of([name]))]
        for child in below:
            parts += [f"### {name} {child}\n", block(help_of([name, child]))]
    return "\n".join(parts)


def block(text: str) -> str:
    """A fenced block of plain text."""
    return f"```text\n{text}```\n"


def help_of(words: list[str]) -> str:
    """What `lockstep WORDS --help` prints at a width of 100."""
    parent = click.Context(cli, info_name="lockstep", terminal_width=WIDTH, **cli.context_settings)
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(parent, word)
        assert found is not None, f"no command {word}"
        command, parent = found, click.Context(found, info_name=word, parent=parent, terminal_width=WIDTH)
    return plain(command.get_help(parent))


def plain(text: str) -> str:
    """Without spaces at the ends of lines, and with one line break at the end."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def states_page() -> str:
    """The states, and the table of transitions: a row an event, a column a state."""
    parts = [STATES_INTRO, GENERATED.rstrip() + "\n", "## States\n"]
    lines = ["| state | meaning | final | FIX OrdStatus |", "|---|---|---|---|"]
    for state in OrderState:
        final = "yes" if state in TERMINAL else ""
        lines.append(f"| {state.name} | {STATE_WORDS[state]} | {final} | {FIX_ORD_STATUS[state]} |")
    parts += ["\n".join(lines) + "\n", "## What an event does to a state\n"]
    parts.append(
        "The first five events are requests of ours, the others the venue's word. Beside the next state a cell can hold:\n"
    )
    parts.append("\n".join(f"- *{word}*: {meaning}" for word, meaning in ANSWERS.values()) + "\n")
    for state in OrderState:
        parts += [f"### {state.name}\n", "\n".join(transitions(state)) + "\n"]
    return "\n".join(parts)


def settings_page() -> str:
    """Every section and key of a settings file, and the venues by name."""
    parts = [SETTINGS_INTRO, GENERATED.rstrip() + "\n"]
    for heading, doc, rows in reference_rows():
        lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        parts.append(f"## `{heading}`\n" if heading else "## At the top\n")
        parts += [f"{doc}\n", "\n".join(["| key | takes | default | for |", "|---|---|---|---|", *lines]) + "\n"]
    parts += ["## Venues by name\n", PRESETS_INTRO]
    keys = list(dict.fromkeys(key for preset in PRESETS.values() for key in preset))
    lines = [f"| preset | {' | '.join(keys)} |", f"|---|{'---|' * len(keys)}"]
    for name, preset in PRESETS.items():
        lines.append(f"| {name} | {' | '.join(str(preset.get(key, '')) for key in keys)} |")
    parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def transitions(state: OrderState) -> Iterator[str]:
    """One state's row of the table as lines: events that have the same answer share one."""
    yield "| event | next |"
    yield "|---|---|"
    by_answer: dict[int, list[str]] = {}
    for event in OrderEventKind:
        by_answer.setdefault(int(TABLE[state][event]), []).append(event.name)
    for answer, events in by_answer.items():
        word = f"*{ANSWERS[answer][0]}*" if answer in ANSWERS else OrderState(answer).name
        yield f"| {', '.join(events)} | {word} |"


def demo_output() -> str:
    """What `lockstep demo` prints, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), wide_and_plain():
        done = CliRunner().invoke(cli, ["demo"], prog_name="lockstep")
    assert done.exit_code == 0, done.output
    return plain(done.stdout)


@contextlib.contextmanager
def wide_and_plain() -> Iterator[None]:
    """A terminal of a known width without colours."""
    before = dict(os.environ)
    os.environ.update(COLUMNS=str(WIDTH), NO_COLOR="1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def settled(text: str) -> str:
    """A page without what may differ from one machine to the next: the demo's speed, and how click breaks lines."""
    text = re.sub(r"^Speed .*$", "Speed", text, flags=re.MULTILINE)
    return re.sub(r"\s+", " ", text)


def stale() -> list[Path]:
    """The documents that no longer say what the program says."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or settled(path.read_text(encoding="utf-8")) != settled(text)
    ]


def main(words: list[str]) -> int:
    """Write what is stale, or with --check only name it."""
    found = stale()
    wanted = pages() if found and "--check" not in words else {}
    for path in found:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        print(f"{'stale' if path not in wanted else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if found and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
