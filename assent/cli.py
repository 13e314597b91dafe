"""The ``assent`` command. Nouns live in ``assent.commands``; what starts processes is here.

Exit codes::

    0    it worked
    1    it worked and the answer is bad (`doctor` or `verify` found something), or Assent itself has a bug
    2    the command line or the input is wrong
    3    there is no such thing
    4    not allowed
    5    the thing changed meanwhile, was already decided, or is in use
    6    Temporal, the database or another part cannot be reached; nothing was lost
    130  interrupted

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import asyncio
import pkgutil
import platform
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import assent.commands
from assent import __version__
from assent.commands.context import Json, print_json, settings_of
from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from assent.runtime import instance, processes
from assent.runtime.logs import log_to_stderr
from assent.runtime.parts import Part, load
from assent.runtime.settings import Settings

EXIT_CODES: dict[type[AssentError], int] = {InvalidInput: 2, NotFound: 3, Forbidden: 4, Conflict: 5, Unavailable: 6}
EXIT_ERROR = 1

app = typer.Typer(
    help="AI agents act as durable workflows, with people in control.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"assent {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder to work in, instead of ASSENT_DATA_DIR.")] = None,
    follow_parent: Annotated[bool, typer.Option(hidden=True)] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the settings once, for whatever command follows."""
    if follow_parent:
        processes.follow_parent()
    context.obj = instance.as_running(Settings.load() if data_dir is None else Settings.load(data_dir=data_dir))


@app.command()
def up(
    context: typer.Context,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder; made if it is missing.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web pages.", min=1, max=65535)] = None,
    sample: Annotated[str, typer.Option(help="Sample agent to run beside it.")] = "shop",
    no_sample: Annotated[bool, typer.Option("--no-sample", help="Run without a sample agent.")] = False,
) -> None:
    """Start Temporal, worker and web on this machine, with a sample agent at work, until Ctrl-C."""
    # Imported here: it is the only command that needs the supervisor and an HTTP client.
    from assent.runtime.up import up as run

    given = {"data_dir": data_dir or settings_of(context).data_dir, "web_port": port}
    run(Settings.load(**{name: value for name, value in given.items() if value}), sample=None if no_sample else sample)


@app.command()
def worker(context: typer.Context) -> None:
    """Run a worker: the process that executes workflows and effects."""
    _run(context, Part.WORKER)


@app.command()
def web(context: typer.Context) -> None:
    """Run the web server: pages, REST API and live updates."""
    _run(context, Part.WEB)


@app.command(hidden=True)
def sample(context: typer.Context, name: str) -> None:
    """Run a sample agent against the server of this installation."""
    _run(context, f"assent_{name}.sample:main")


def _run(context: typer.Context, part: str) -> None:
    settings = settings_of(context)
    log_to_stderr(settings.log_level)
    load(part)(settings)


@app.command()
def doctor(
    context: typer.Context,
    needed: Annotated[bool, typer.Option("--needed", help="Leave Slack and mail out, as health checks do.")] = False,
    as_json: Json = False,
) -> None:
    """Say what was found, what would be used, and what is wrong; ends with 1 if anything is."""
    from assent.runtime.doctor import examine, render

    report = examine(settings_of(context), needed=needed)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        typer.echo(render(report))
    if not report.ok:
        raise typer.Exit(EXIT_ERROR)


@app.command()
def verify(
    context: typer.Context,
    no_temporal: Annotated[bool, typer.Option("--no-temporal", help="Leave Temporal's histories out.")] = False,
    as_json: Json = False,
) -> None:
    """Hold the ledger, the rows and Temporal's histories against each other; ends with 1 if they disagree."""
    from assent.runtime.console import verified

    report = asyncio.run(verified(settings_of(context), histories=not no_temporal))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        typer.echo(report.text())
    if not report.clean:
        raise typer.Exit(EXIT_ERROR)


@app.command()
def version(as_json: Json = False) -> None:
    """Print the versions of Assent and of what it runs on."""
    versions = {
        "assent": __version__,
        "python": platform.python_version(),
        "temporalio": metadata.version("temporalio"),
        "platform": f"{platform.system().lower()}-{platform.machine()}",
    }
    if as_json:
        print_json(versions)
    else:
        typer.echo("\n".join(f"{name} {value}" for name, value in versions.items()))


def _compose() -> None:
    """Add every noun: the name of its module is the name of its command."""
    for found in pkgutil.iter_modules(assent.commands.__path__):
        noun = getattr(import_module(f"assent.commands.{found.name}"), "app", None)
        if isinstance(noun, typer.Typer):
            app.add_typer(noun, name=found.name.replace("_", "-"))


_compose()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line as a process of its own, and end that process with a documented exit code."""
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except Exception:
        traceback.print_exc()
        code = EXIT_ERROR
    processes.leave(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Wrong usage is told by typer itself; expected errors become one message on standard error.
    """
    try:
        app(args=list(arguments), prog_name="assent")
    except AssentError as error:
        typer.echo(f"assent: {error}", err=True)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), EXIT_ERROR)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_ERROR if end.code else 0
    return 0
