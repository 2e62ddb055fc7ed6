"""`lockstep new`: a strategy to start from."""

import keyword
import os
import re
import shlex
from pathlib import Path
from string import Template

import click

from lockstep.app.cli.options import Command, examples, json_option
from lockstep.model.errors import UsageError, did_you_mean

TEMPLATES = {
    "ema-cross": "ema_cross.py.tmpl",
    "rsi-reversion": "rsi_reversion.py.tmpl",
    "sma-momentum": "sma_momentum.py.tmpl",
}
ON_BOOKS = {"market-maker": "market_maker.py", "imbalance-taker": "imbalance_taker.py"}
"""Templates that are shipped examples as they stand: they trade on a recorded order book, which none is shipped of."""
_FOLDER = Path(__file__).parent.parent / "templates"
_EXAMPLES = Path(__file__).parent.parent / "examples"
_DATASET = "us_stocks"


@click.command(
    "new",
    cls=Command,
    epilog=examples("lockstep new trend --config", "lockstep new folder/dips.py --template rsi-reversion"),
)
@click.argument("name")
@click.option(
    "--template", default="ema-cross", show_default=True, metavar="NAME", help=f"{', '.join((*TEMPLATES, *ON_BOOKS))}."
)
@click.option("--config", "with_config", is_flag=True, help="Write a settings file for `lockstep run` beside it.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@json_option
def command(name: str, template: str, with_config: bool, force: bool, as_json: bool) -> None:
    """Write a strategy to start from.

    NAME is the file (.py is added) and, in capitals, the class: my_strategy gives my_strategy.py with MyStrategy. The
    twelve lines run as they are. market-maker and imbalance-taker are longer, and ask for a recording of an order book.
    """
    path, class_name = named(name)
    if template not in (*TEMPLATES, *ON_BOOKS):
        raise UsageError(f"unknown template {template!r}", hint=did_you_mean(template, (*TEMPLATES, *ON_BOOKS)))
    text = _text_of(template, class_name)
    source = "recording.raw.zst" if template in ON_BOOKS else _DATASET
    config = path.with_suffix(".toml") if with_config else None
    for place in (path, config):
        check_free(place, force)
    write_new(path, text, force)
    if config is not None:
        settings = Template((_FOLDER / "settings.toml.tmpl").read_text(encoding="utf-8"))
        kind, preset = ('kind = "depth"\n', "crypto-remote") if template in ON_BOOKS else ("", "us-equities")
        write_new(config, settings.substitute(script=path.name, source=source, kind=kind, preset=preset), force)
    run = f"backtest {shlex.quote(str(path))} --data {source}{' --kind depth' if template in ON_BOOKS else ''}"
    lines = [
        f"lockstep validate {shlex.quote(str(path))}",
        f"lockstep {run if config is None else f'run --config {shlex.quote(str(config))}'}",
        "lockstep report --open",
    ]
    if as_json:
        from lockstep.app.cli.console import print_json

        beside = {"config": str(config)} if config is not None else {}
        print_json({"file": str(path), "class": class_name, "template": template, **beside, "next": lines})
        return
    click.echo(f"wrote {path}: {class_name}, the template {template}")
    if config is not None:
        click.echo(f"wrote {config}: its settings")
    click.echo("\nNext")
    for line in lines:
        click.echo(f"  {line}")


def _text_of(template: str, class_name: str) -> str:
    """The strategy, under its new name."""
    if template in TEMPLATES:
        return Template((_FOLDER / TEMPLATES[template]).read_text(encoding="utf-8")).substitute(class_name=class_name)
    text = (_EXAMPLES / ON_BOOKS[template]).read_text(encoding="utf-8")
    return re.sub(r"^class \w+\(Strategy\)", f"class {class_name}(Strategy)", text, flags=re.MULTILINE)


def named(name: str) -> tuple[Path, str]:
    """The file and the class that a name stands for. Raises: UsageError: no class could be called that."""
    typed = Path(name)
    stem = re.sub(r"[-\s]+", "_", typed.name.removesuffix(".py"))
    class_name = "".join(word[:1].upper() + word[1:] for word in stem.split("_"))
    if not class_name.isidentifier() or keyword.iskeyword(class_name) or not stem.isidentifier():
        raise UsageError(
            f"{name!r} cannot name a strategy", hint="letters, digits, - and _, beginning with a letter: my_strategy"
        )
    if class_name == "Strategy":
        raise UsageError(
            "the class would be called Strategy, like its base", hint="for example: lockstep new my_strategy"
        )
    return typed.with_name(f"{stem}.py"), class_name


def check_free(path: Path | None, force: bool) -> None:
    """Raises: UsageError: the file exists and may not be overwritten."""
    if path is not None and (path.is_dir() or (path.exists() and not force)):
        raise UsageError(f"{path} exists", hint="choose another name, or overwrite it with --force")


def write_new(path: Path, text: str, force: bool) -> None:
    """Write a file whole, or not at all. Raises: UsageError: it exists and may not be overwritten."""
    check_free(path, force)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
