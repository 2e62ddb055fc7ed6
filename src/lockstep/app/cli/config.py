"""`lockstep config`: settings checked and shown, and their schema."""

import json
from pathlib import Path

import click

from lockstep.app.cli.options import Command, config_option, examples, json_option, set_option
from lockstep.app.cli.root import Subcommands


@click.group(
    "config",
    cls=Subcommands,
    epilog=examples("lockstep new trend --config --force", "lockstep config check trend.toml"),
)
def command() -> None:
    """Check a settings file, and show what is in effect.

    A settings file (TOML, YAML or JSON) is what `lockstep run` runs. Above it stand a .env beside it, then the
    environment (LOCKSTEP_ENGINE__CASH=50000), then --set engine.cash=50000.
    """


@command.command(
    "check", cls=Command, epilog=examples("lockstep new trend --config --force", "lockstep config check trend.toml")
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@set_option
@json_option
def check(path: Path, words: tuple[str, ...], as_json: bool) -> None:
    """Check a settings file without running it.

    Its keys and values, the strategies with their parameters, and that the data is there. Everything to mend is told in
    one go; the exit code is 2 then.
    """
    from lockstep.app.cli.console import print_json, prints_aside, say, screen
    from lockstep.app.cli.run import told_in_the_files_words
    from lockstep.run.settings.load import load_settings
    from lockstep.run.settings.prepare import check_sources, config_from, plans_from
    from lockstep.run.settings.settings import SettingsError

    try:
        with prints_aside(as_json), told_in_the_files_words():
            settings = load_settings(path, words)
            config_from(settings)
            check_sources(settings)
            plans = plans_from(settings)
    except SettingsError as e:
        if not as_json:
            raise
        print_json({"file": str(path), "valid": False, "problems": [problem._asdict() for problem in e.problems]})
        click.get_current_context().exit(e.exit_code)
    strategies = [
        {
            "name": plan.name,
            "file": plan.strategy.file_name,
            "symbols": None if plan.symbols is None else list(plan.symbols),
            "timeframe": table["timeframe"],
        }
        for plan, table in zip(plans, settings.tables["strategies"], strict=True)
    ]
    if as_json:
        print_json({"file": str(path), "valid": True, "mode": settings.mode, "strategies": strategies, "problems": []})
        return
    console = screen()
    say(console, f"{path} is fit to run", "bold green")
    for entry in strategies:
        on = ", ".join(entry["symbols"]) if entry["symbols"] else "every symbol"
        bars = f", bars of {entry['timeframe']}" if entry["timeframe"] else ""
        say(console, f"- {entry['name']} ({entry['file']}) on {on}{bars}")
    say(console, f"\nNext    lockstep run --config {path}", "cyan")


@command.command(
    "show", cls=Command, epilog=examples("lockstep config show", "lockstep config show --set engine.cash=50000 --json")
)
@config_option
@set_option
@json_option
def show_settings(path: Path | None, words: tuple[str, ...], as_json: bool) -> None:
    """Show every setting in effect and where it was said.

    Without a file, and with none in this folder, the defaults are shown. What sounds like a secret is masked.
    """
    from lockstep.app.cli.console import plain_table, print_json, say, screen, show
    from lockstep.run.settings.load import find_file, load_settings
    from lockstep.run.settings.overrides import masked

    settings = load_settings(path or find_file(Path()), words)
    beside = {name: masked(name, value) for name, value in settings.beside.items()}
    file = None if settings.path == Path() else str(settings.path)
    if as_json:
        print_json({"file": file, "settings": [entry._asdict() for entry in settings.entries], "dotenv": beside})
        return
    console = screen()
    say(console, file or "defaults: no settings file", "bold")
    table = plain_table("setting", "value", "from")
    for entry in settings.entries:
        origin = entry.origin.removeprefix(f"{file} ")
        table.add_row(entry.key, entry.text, origin, style="dim" if origin == "default" else "")
    show(console, table)
    if beside:
        say(console, "\nAlso in .env, for the venues and data that ask for them", "dim")
        for name, value in beside.items():
            say(console, f"{name}={value}")


@command.command("schema", cls=Command, epilog=examples("lockstep config schema", "lockstep config schema --json"))
@json_option
def schema(as_json: bool) -> None:  # noqa: ARG001 - it is JSON either way
    """Print the JSON Schema of settings files, for editors.

    Point an editor at it and it completes keys and underlines slips, in TOML, YAML and JSON alike.
    """
    from lockstep.run.settings.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=1))
