"""The examples in README.md, ARCHITECTURE.md and docs/ do what they say: each page runs in an empty folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snippets import Page, SnippetError, blocks, page_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    p for p in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.exists()
]
LOCKSTEP = "import sys; from lockstep.app.cli import main; sys.argv[0] = 'lockstep'; sys.exit(main())"
SECONDS_MAX = 120


def run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LOCKSTEP_HOME": str(folder / ".lockstep"), "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)


def run_page(name: str, page: Page, folder: Path) -> None:
    for title, text in page.files.items():
        (folder / title).write_text(text)
    if page.program:
        program = folder / "page.py"
        program.write_text(page.program)
        done = run([sys.executable, "-W", "error", str(program)], folder)
        assert done.returncode == 0, f"{name} (line numbers are the page's):\n{done.stderr}"
    for command in page.commands:
        done = run([sys.executable, "-c", LOCKSTEP, *command.argv], folder)
        said = f"{name}:{command.line}: lockstep {' '.join(command.argv)}\n{done.stdout}{done.stderr}"
        assert done.returncode == command.exit_code, said
        assert "Traceback" not in done.stderr, said


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_examples_run(path: Path, tmp_path: Path) -> None:
    run_page(str(path.relative_to(ROOT)), page_of(path.read_text(encoding="utf-8")), tmp_path)


def test_program_of_a_page_that_fails_is_reported_at_the_line_of_the_page(tmp_path: Path) -> None:
    page = page_of("# Title\n\n```python\nx = 1\n```\n\nText.\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError, match="line 10"):
        run_page("sample.md", page, tmp_path)


def test_blocks_of_a_page_share_their_names(tmp_path: Path) -> None:
    run_page("sample.md", page_of("```python\nx = 1\n```\n\n```python\nassert x == 1\n```\n"), tmp_path)


def test_titled_block_is_written_as_a_file_and_not_run(tmp_path: Path) -> None:
    page = page_of('```python title="my_strategy.py"\nraise SystemExit(1)\n```\n')
    run_page("sample.md", page, tmp_path)
    assert (tmp_path / "my_strategy.py").read_text() == "raise SystemExit(1)\n"


def test_console_block_runs_only_when_marked() -> None:
    block = "```console\n$ lockstep data list\n$ make demo\n```\n"
    assert page_of(block).commands == []
    assert [c.argv for c in page_of("<!-- snippet: run -->\n" + block).commands] == [("data", "list")]


def test_command_line_states_its_exit_code_and_may_go_on() -> None:
    text = "<!-- snippet: run -->\n\n```console\n$ lockstep backtest x.py \\\n>   --data 'a b'  # exit 2\noutput\n```\n"
    (command,) = page_of(text).commands
    assert (command.line, command.argv, command.exit_code) == (4, ("backtest", "x.py", "--data", "a b"), 2)


def test_skipped_block_is_left_out() -> None:
    assert not page_of("<!-- snippet: skip - needs an account -->\n```python\n1 / 0\n```\n")


def test_fence_inside_a_longer_fence_is_text() -> None:
    text = "````markdown\n<!-- snippet: run -->\n```python\n1 / 0\n```\n````\n"
    assert [block.language for block in blocks(text)] == ["markdown"]
    assert not page_of(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```python\nx = 1\n", "never closes"),
        ("<!-- snippet: skip -->\n```python\n```\n", "no reason"),
        ("<!-- snippet: rum -->\n```console\n```\n", "unknown mark 'rum'"),
        ("<!-- snippet: run -->\n```console\n$ make demo\n```\n", "no line begins"),
    ],
)
def test_mark_that_means_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(SnippetError, match=says):
        page_of(text)
