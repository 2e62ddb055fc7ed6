"""`lockstep report`: the page of one run, or several runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockstep.app.cli.options import SHORT_HASH, Command, examples, json_option, runs_option
from lockstep.model.errors import UsageError

if TYPE_CHECKING:
    from lockstep.store.runs import RunFolder

REPORT = "report.html"

EXAMPLES = examples(
    "lockstep demo",
    "lockstep report",
    "lockstep report --out report.html",
)


@click.command("report", cls=Command, epilog=EXAMPLES)
@click.argument("which", nargs=-1, metavar="[RUN]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The page; by default beside the run.")
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
@runs_option
@json_option
def command(which: tuple[str, ...], out: Path | None, show: bool, root: Path, as_json: bool) -> None:
    """Write the report of a run, or put several side by side.

    RUN is the beginning of a run's hash (`lockstep runs` lists them) or the path of its folder. Without one it is the
    newest run; with two to eight, they are compared.
    """
    from lockstep.app.cli.launch import check_writable
    from lockstep.store.runs import RunFolder

    check_writable(out)
    folders = [RunFolder.open(one, root) for one in which] or [newest(root)]
    twice = [folder for k, folder in enumerate(folders) if folder.run_hash in [f.run_hash for f in folders[:k]]]
    if twice:
        raise UsageError(f"run {twice[0].run_hash[:SHORT_HASH]} is named twice", hint="name each run once")
    page = write_pages(folders, out, root)
    if show and click.launch(page.absolute().as_uri()):
        click.echo(f"no browser could be started: open {page} yourself", err=True)
    if as_json:
        from lockstep.app.cli.console import print_json

        print_json({"report": str(page), "runs": [folder.run_hash for folder in folders]})
    else:
        click.echo(f"wrote {page}")


def newest(root: Path) -> "RunFolder":
    """The run that was made last. Raises: UsageError: there is none."""
    from lockstep.store.runs import RunFolder, list_runs

    found = list_runs(root)
    if not found:
        raise UsageError(f"no runs in {root}", hint="lockstep demo makes the first; --runs names another folder")
    return RunFolder.open(found[-1].path)


def write_pages(folders: "list[RunFolder]", out: Path | None, root: Path) -> Path:
    """One run's own page, or the comparison of several. Returns the file."""
    from lockstep.analytics.report.comparison import render_comparison
    from lockstep.analytics.report.inputs import ReportInput
    from lockstep.analytics.report.page import write_report
    from lockstep.analytics.report.shell import write_whole

    if len(folders) == 1:
        return write_report(folders[0], out if out is not None else folders[0].path / REPORT)
    text = render_comparison([ReportInput.from_folder(folder) for folder in folders])
    names = "-".join(folder.run_hash[:8] for folder in folders)
    return write_whole(out if out is not None else root / f"comparison-{names}.html", text)
