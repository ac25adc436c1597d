"""The `gdr` command. Every command is thin, and imports what it needs when it runs."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gdr_model import __version__
from gdr_model.errors import LibraryError, UsageError
from gdr_model.types import Edit, Results, Steering, WeightedText
from gdr_tui.app.gc_control import kept_for_good
from gdr_tui.cli import options as opt
from gdr_tui.cli.commands import crate as crate_commands
from gdr_tui.cli.commands import training_commands
from gdr_tui.cli.commands import why as why_command
from gdr_tui.cli.commands.model import commands as model_commands
from gdr_tui.cli.diagnostics import Failed, say, verdict
from gdr_tui.cli.output import Format, show, show_paths0

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever


class Guarded(TyperGroup):
    """Runs every command under `diagnostics.verdict`."""

    def invoke(self, ctx: Any) -> Any:
        """Run; a failure has been said by then and only sets the exit code."""
        try:
            with verdict():
                return super().invoke(ctx)
        except Failed as failed:
            raise typer.Exit(failed.exit_code) from None


app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find music by generating the query: words in, the nearest passages of your library out.",
)
main = app


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Find music by generating the query: words in, the nearest passages of your library out."""
    if version:
        print(__version__)  # noqa: T201
        raise typer.Exit


@app.command()
def tui(
    library: opt.Libraries = None, model: opt.Model = "builtin", device: opt.Device = "auto"
) -> None:
    """Open the app: type, listen, steer. A folder that is not indexed yet is indexed meanwhile."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("gdr: gdr tui needs a terminal; use gdr search here")
        raise typer.Exit(2)
    from gdr_tui.app.app import run

    run([opt.folder(root) for root in opt.roots(library)], model, device)


@app.command()
def index(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders of music.", readable=False)
    ],
    model: opt.Model = "builtin",
    device: opt.Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed before.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Files decoded at once.")] = 2,
) -> None:
    """Read folders of music, so that they can be searched; only what is new or changed is read."""
    from gdr_tui.cli.commands.index import index_folders

    if not index_folders(folders, model, device, dry_run, retry_failed, jobs):
        raise typer.Exit(1)


@app.command()
def search(
    prompt: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT...", show_default=False)
    ] = None,
    nots: opt.Nots = None,
    like: opt.Likes = None,
    unlike: opt.Unlikes = None,
    pull: opt.Pull = 0.0,
    slides: opt.Slides = None,
    where: opt.Where = None,
    k: opt.KOfSearch = None,
    guidance: opt.Guidance = 3.0,
    steps: opt.Steps = 12,
    draws: opt.Draws = 8,
    seed: opt.Seed = 0,
    sampler: opt.Sampler = "ddim",
    interval: opt.Interval = (0.0, 1.0),
    method: Annotated[str, typer.Option(help="gdr, or contrastive to compare.")] = "gdr",
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            help="A file of prompts, one a line; - for stdin.", show_default=False, readable=False
        ),
    ] = None,
    session: opt.SessionFile = None,
    query: opt.QueryNumbers = None,
    form: opt.Form = Format.TABLE,
    print0: opt.Print0 = False,
    library: opt.Libraries = None,
    model: opt.Model = "builtin",
    device: opt.Device = "auto",
    verbose: opt.Verbose = False,
) -> None:
    """Search by words: 'gdr search "warm piano" --not vocals'."""
    if session is not None or query:
        if prompt or prompts_file or session is None:
            raise UsageError("--query and --session go together, and without a prompt")
        _replay(session, query or [], k, form, print0, library, model, device, verbose)
        return
    steerings = [
        Steering(
            prompt=text,
            negatives=tuple(WeightedText.parse(n) for n in nots or ()),
            likes=opt.existing(like),
            dislikes=opt.existing(unlike),
            pull=pull,
            sliders=tuple(opt.slider(s) for s in slides or ()),
            guidance=guidance,
            steps=steps,
            draws=draws,
            seed=seed,
            sampler=sampler,
            interval=interval,
        )
        for text in opt.prompts(prompt, prompts_file)
    ]
    _answer(
        steerings,
        20 if k is None else k,
        where,
        method,
        form,
        print0,
        library,
        model,
        device,
        verbose,
    )


@app.command()
def edit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The track to start from.", readable=False)
    ],
    prompt: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="What it should be.")],
    from_prompt: Annotated[
        str, typer.Option("--from", help="Words that describe the track as it is.")
    ] = "",
    strength: Annotated[
        float, typer.Option(help="How far to go: near 0 stays close, 1 starts from noise.")
    ] = 0.6,
    start: Annotated[
        float | None,
        typer.Option(help="Second where the passage begins. Default: the nearest to the prompt."),
    ] = None,
    nots: opt.Nots = None,
    like: opt.Likes = None,
    unlike: opt.Unlikes = None,
    pull: opt.Pull = 0.0,
    slides: opt.Slides = None,
    where: opt.Where = None,
    k: opt.K = 20,
    guidance: opt.Guidance = 3.0,
    steps: opt.Steps = 12,
    draws: opt.Draws = 8,
    seed: opt.Seed = 0,
    sampler: opt.Sampler = "ddim",
    interval: opt.Interval = (0.0, 1.0),
    form: opt.Form = Format.TABLE,
    print0: opt.Print0 = False,
    library: opt.Libraries = None,
    model: opt.Model = "builtin",
    device: opt.Device = "auto",
    verbose: opt.Verbose = False,
) -> None:
    """Start from a track: invert its best passage and draw it again under other words."""
    (source,) = opt.existing([file])
    steering = Steering(
        prompt=" ".join(prompt),
        negatives=tuple(WeightedText.parse(n) for n in nots or ()),
        likes=opt.existing(like),
        dislikes=opt.existing(unlike),
        pull=pull,
        sliders=tuple(opt.slider(s) for s in slides or ()),
        guidance=guidance,
        steps=steps,
        draws=draws,
        seed=seed,
        sampler=sampler,
        interval=interval,
        edit=Edit(source, start, strength, from_prompt),
    )
    _answer([steering], k, where, "gdr", form, print0, library, model, device, verbose)


def _answer(
    steerings: list[Steering],
    k: int,
    where: str | None,
    method: str,
    form: Format,
    print0: bool,
    library: list[Path] | None,
    model: str,
    device: str,
    verbose: bool,
) -> None:
    """Search for each steering and print the answers."""
    with ExitStack() as stack:
        retriever = open_retriever(stack, library, model, device)
        retriever.model.require(method)
        retriever.model.text.embed([steerings[0].prompt])  # loads before the clock starts
        answers = [retriever.search(steering, k, where, method) for steering in steerings]
    _print(answers, form, print0, verbose)
    if retriever.model.config.bare:
        say(
            f"{model} has no retriever of its own, so words were looked up in the space it shares "
            f"with sound; {retriever.model.config.recipe} makes one"
        )


def _replay(
    session: Path,
    queries: list[int],
    k: int | None,
    form: Format,
    print0: bool,
    library: list[Path] | None,
    model: str,
    device: str,
    verbose: bool,
) -> None:
    """Answer the queries of a session file anew and print the answers."""
    from gdr_model.notebook.saved_trails import SavedTrail
    from gdr_tui.cli.commands.replay import replay

    saved = SavedTrail.read(session)
    saved.chosen(queries)  # refused before anything is loaded
    roots = library or [Path(known.root) for known in saved.libraries]
    with ExitStack() as stack:
        answers = replay(saved, open_retriever(stack, roots, model, device), queries, k)
    _print(answers, form, print0, verbose)


def _print(answers: list[Results], form: Format, print0: bool, verbose: bool) -> None:
    if print0:
        show_paths0(answers)
    else:
        show(answers, form)
    for results in answers:
        _explain(results, verbose, form)


def open_retriever(
    stack: ExitStack, library: list[Path] | None, model: str, device: str
) -> Retriever:
    """A retriever over the libraries of some folders, closed with `stack`.

    Raises:
        LibraryError: if nothing has been indexed in them.
    """
    from gdr_model.store.library import Library

    folders = opt.roots(library)
    if not folders:
        raise LibraryError("no library has been indexed yet; run gdr index DIR")
    libraries = [stack.enter_context(Library.open(folder)) for folder in folders]
    if not any(opened.count() for opened in libraries):
        raise LibraryError(f"{folders[0]} holds no tracks yet; run gdr index {folders[0]}")

    with kept_for_good():
        from gdr_model.models.checkpoint import load
        from gdr_model.search.retriever import Retriever

        return Retriever(load(model, device), libraries)


def _explain(results: Results, verbose: bool, form: Format) -> None:
    """What made the answer, on stderr: for people at a table, or when asked."""
    if not verbose and form is not Format.TABLE:
        return
    query, steering = results.query, results.query.steering
    words = f"{len(results.hits)} of {results.tracks_searched} tracks"
    if query.method == "gdr":
        words += f" · seed {steering.seed} · {steering.draws} draws agree {results.agreement:.2f}"
    say(f"{words} · {1000 * (results.draw_s + results.search_s):.0f} ms")
    if verbose and query.round_trip is not None:
        say(
            f"inverted {steering.edit.path if steering.edit else ''} from "
            f"{query.source_start_s:.0f} s; round-trip error (1 - cosine) {query.round_trip:.2e}"
        )


@app.command()
def status(library: opt.Libraries = None) -> None:
    """Say what is indexed, where, and what failed."""
    from gdr_tui.cli.commands.status import status as show_status

    show_status(library)


@app.command()
def doctor() -> None:
    """Check everything gdr needs on this machine."""
    from gdr_tui.cli.commands.status import doctor as check

    if not check():
        raise typer.Exit(1)


@app.command()
def bench(
    library: opt.Libraries = None, model: opt.Model = "builtin", device: opt.Device = "auto"
) -> None:
    """Measure encoding, drawing and searching on this machine and library."""
    from gdr_tui.cli.commands.bench import run

    with ExitStack() as stack:
        run(open_retriever(stack, library, model, device))


why_command.register(app)
crate_commands.register(app)
training_commands.register(app)
model_commands.register(app)
