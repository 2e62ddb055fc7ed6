"""Finds the examples of a Markdown page and turns them into what a test can run: files, one program, command lines."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<language>[\w+-]*)\s*(?P<rest>.*)$")
MARK = re.compile(r"^\s*<!--\s*snippet:\s*(?P<word>\w+)\s*(?:-\s*(?P<why>.*?))?\s*-->\s*$")
TITLE = re.compile(r"title=\"(?P<name>[\w.-]+)\"")
FILES = ("python", "toml", "yaml", "json")
"""Languages whose titled blocks are files for the commands of the page."""
EXIT = re.compile(r"\s#\s*exit\s+(?P<code>\d+)\s*$")


class SnippetError(ValueError):
    """A page marks a snippet in a way that means nothing: mend the page."""


@dataclass(frozen=True)
class Block:
    """One fenced block: where its first line stands, what it is, and how it is marked."""

    line: int
    language: str
    title: str | None
    mark: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command line of a console block that is to be run, and the exit code it must give."""

    line: int
    argv: tuple[str, ...]
    exit_code: int


@dataclass
class Page:
    """What a page asks to be run."""

    files: dict[str, str] = field(default_factory=dict)
    program: str = ""
    commands: list[Command] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.files or self.program or self.commands)


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a page, in order; a fence inside a longer fence is text.

    Raises:
        SnippetError: a fence that never closes, an unknown mark, or `skip` without a reason.
    """
    lines = text.splitlines()
    number, mark = 0, None
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening is None:
            if lines[number].strip():
                mark = marked(lines[number], number + 1)
            number += 1
            continue
        closing = re.compile(rf"^ *{opening['fence'][0]}{{{len(opening['fence'])},}}\s*$")
        end = next((n for n in range(number + 1, len(lines)) if closing.match(lines[n])), None)
        if end is None:
            raise SnippetError(f"line {number + 1}: the block never closes")
        indent = len(opening["indent"])
        body = tuple(
            line[indent:] if line[:indent].isspace() or not indent else line for line in lines[number + 1 : end]
        )
        title = TITLE.search(opening["rest"])
        yield Block(number + 2, opening["language"], title["name"] if title else None, mark, body)
        number, mark = end + 1, None


def marked(line: str, number: int) -> str | None:
    """The mark on a line, None where there is none."""
    found = MARK.match(line)
    if found is None:
        return None
    if found["word"] not in {"run", "skip"}:
        raise SnippetError(f"line {number}: unknown mark {found['word']!r}; use `run` or `skip - why`")
    if found["word"] == "skip" and not found["why"]:
        raise SnippetError(f"line {number}: says no reason: write `snippet: skip - why`")
    return str(found["word"])


def page_of(text: str) -> Page:
    """What a page asks to be run. The program keeps the page's line numbers, so a traceback points into the page."""
    page = Page()
    program: list[str] = []
    for block in blocks(text):
        if block.mark == "skip":
            continue
        if block.title and block.language in FILES:
            page.files[block.title] = "\n".join(block.lines) + "\n"
        elif block.language == "python":
            program += [""] * (block.line - 1 - len(program))
            program += block.lines
        elif block.language == "console" and block.mark == "run":
            page.commands += commands(block)
    page.program = "\n".join(program) + "\n" if program else ""
    return page


def commands(block: Block) -> Iterator[Command]:
    """The lines of a console block that call lockstep; a line that ends in a backslash goes on.

    Raises:
        SnippetError: a block marked `run` without such a line.
    """
    found, number = 0, 0
    while number < len(block.lines):
        start, text = number, block.lines[number]
        while text.endswith("\\") and number + 1 < len(block.lines):
            number += 1
            text = text[:-1] + block.lines[number].lstrip("> ")
        number += 1
        if not text.startswith("$ lockstep"):
            continue
        found += 1
        exit_code = EXIT.search(text)
        argv = shlex.split(text.removeprefix("$ "), comments=True)
        yield Command(block.line + start, tuple(argv[1:]), int(exit_code["code"]) if exit_code else 0)
    if not found:
        raise SnippetError(f"line {block.line}: marked `run`, and no line begins with `$ lockstep`")
