"""`gdr eval`: measure models against their baselines; the tables on stdout and in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.types import Method
from gdr_tui.cli.options import Device, DeviceOption, MethodOption, Seed
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import Shown, bars
from gdr_tui.torch_threads import use_one_thread

if TYPE_CHECKING:
    import torch

    from training.evaluation.steered import Steered

group = typer.Typer(
    no_args_is_help=True,
    help="Measure models against their baselines, with confidence intervals.",
)


class Attributes(StrEnum):
    """Where the attributes of a library's tracks come from."""

    TAGS = "tags"
    TEACHER = "teacher"


Names = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|MODEL",
        help="Folders of gdr train; with --data also models.",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="SET",
        help="Use the captions of this set (a folder of gdr extract), not those a run holds out.",
        show_default=False,
    ),
]
Baselines = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Baselines to compare with, separated by commas: teacher, tower, ridge, regression, "
        "classes; or all, or none. They are fitted once and kept in the RUN.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder of the report. Default: the first RUN, or one named after the command.",
        show_default=False,
    ),
]


@group.command("retrieval")
def eval_retrieval(
    names: Names,
    data: Data = "",
    baselines: Baselines = "all",
    against: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Compare with other runs: a folder with one of the same name as each RUN.",
            show_default=False,
        ),
    ] = "",
    only_new: Annotated[
        bool,
        typer.Option("--only-new", help="Tracks that were trained on do not compete."),
    ] = False,
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Search for every held-out caption, as gdr search does, and with each baseline.

    Runs that hold out different folds of a set are counted together. With --data nothing is
    trained on that set, and captions that RUN was trained on are left out.
    """
    from training.evaluation.fitted import chosen
    from training.evaluation.retrieval import retrieval
    from training.evaluation.tables import save

    wanted = chosen(baselines)
    with _progress() as on_progress:
        tables, about = retrieval(
            names,
            data=data,
            wanted=wanted,
            against=against,
            only_new=only_new,
            seed=seed,
            device=_picked(device),
            on_progress=on_progress,
        )
    write(save(out or _report(names[0], "retrieval"), "retrieval", tables, about))


@group.command("table")
def eval_table(
    names: Names,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="SET...",
            help="The sets, folders of gdr extract; each after the first can also do without "
            "--data. Default: what each RUN holds out.",
            show_default=False,
        ),
    ] = None,
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Compare models on several sets: R@1, R@5, R@10 and the median rank of each.

    A row for what gdr search finds, one for the contrastive tower, and one for the teacher as it
    is. On the set a RUN was trained on, only the captions it holds out count.
    """
    from training.data import is_set
    from training.evaluation.table import table
    from training.evaluation.tables import save

    sets = [*(data or ()), *(name for name in names if is_set(name))]
    models = [name for name in names if not is_set(name)]
    with _progress() as on_progress:
        tables, about = table(
            models, sets, seed=seed, device=_picked(device), on_progress=on_progress
        )
    write(save(out or _report(models[0], "table"), "table", tables, about))


@group.command("curves")
def eval_curves(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN", help="Folders of gdr train.", show_default=False)
    ],
    out: Report = None,
) -> None:
    """Compare the validations of runs while they trained, at equal processor time."""
    from training.evaluation.curves import curves
    from training.evaluation.tables import save

    folder = out or Path(runs[0])
    tables, about = curves(runs, folder / "compared.png")
    write(save(folder, "compared", tables, about))


@group.command("fidelity")
def eval_fidelity(
    names: Names,
    data: Data = "",
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Compare draws with real music: distances, diversity, coverage, motion."""
    from training.evaluation.fidelity import fidelity
    from training.evaluation.tables import save

    with _progress() as on_progress:
        tables, about = fidelity(
            names, data=data, seed=seed, device=_picked(device), on_progress=on_progress
        )
    write(save(out or _report(names[0], "fidelity"), "fidelity", tables, about))


@group.command("cloud")
def eval_cloud(
    name: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="A folder of gdr train, or a model.")
    ] = "builtin",
    data: Data = "",
    guidance: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Values to compare, separated by commas.")
    ] = "1,1.5,2,3",
    steps: Annotated[
        str,
        typer.Option(
            metavar="NUMBERS", help="Numbers of steps to compare at the first --guidance."
        ),
    ] = "4,6,8,24",
    sampler: Annotated[
        str, typer.Option(metavar="NAMES", help="Samplers to take these steps with.")
    ] = "ddim,dpm++",
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Measure whether a prompt's draws are spread as the tracks are that answer it.

    For prompts with many right answers, and for pairs of them, which are narrower: variance along
    each axis, energy distance, precision, recall, density, coverage, how many tracks are nearest
    to a draw, and the list that one draw makes.
    """
    from training.evaluation.cloud.cloud import cloud
    from training.evaluation.cloud.settings import settings
    from training.evaluation.tables import save

    compared = settings(guidance, steps, sampler)
    with _progress() as on_progress:
        tables, about = cloud(
            name, compared, data=data, seed=seed, device=_picked(device), on_progress=on_progress
        )
    write(save(out or _report(name, "cloud"), "cloud", tables, about))


@group.command("control")
def eval_control(
    name: Annotated[
        str,
        typer.Argument(metavar="RUN|MODEL", help="A folder of gdr train, or a model."),
    ] = "builtin",
    library: Annotated[
        Path,
        typer.Option(
            "--library", "-L", metavar="DIR", help="For a model: an indexed folder of music."
        ),
    ] = Path(),
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="SET",
            help="Use the tracks of this set (a folder of gdr extract) instead of a library.",
            show_default=False,
        ),
    ] = "",
    attributes: Annotated[
        Attributes,
        typer.Option(help="Attributes of a library's tracks: tags and folders, or the teacher's."),
    ] = Attributes.TAGS,
    pairs: Annotated[
        int, typer.Option(min=2, metavar="N", help="Number of pairs, edits and sliders tried.")
    ] = 60,
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Measure negatives, edits and sliders against score subtraction and prompt arithmetic."""
    from gdr_model.models.checkpoint import load
    from gdr_model.store.library import Library
    from training.evaluation.control import control
    from training.evaluation.steered import of_library, of_set
    from training.evaluation.subjects import has_captions
    from training.evaluation.tables import save

    where = _picked(device)
    with _progress() as on_progress, ExitStack() as stack:
        steered: Steered
        if data or has_captions(name):
            steered = stack.enter_context(of_set(name, data, where))
        else:
            model = load(name, where.type)
            opened = stack.enter_context(Library.open(library))
            steered = of_library(model, opened, attributes)
        tables, about = control(steered, pairs=pairs, seed=seed, on_progress=on_progress)
    write(save(out or _report(name, "control"), "control", tables, about))


@group.command()
def spread(
    name: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="A folder of gdr train, or a model.")
    ],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="SET",
            help="A set whose captions are labels of its tracks (a folder of gdr extract).",
        ),
    ],
    out: Report = None,
    device: DeviceOption = Device.AUTO,
    seed: Seed = 0,
) -> None:
    """Measure rolls against other ways to a varied list, where they are equally new."""
    from training.evaluation.spread.protocol import spread as measured
    from training.evaluation.tables import save

    with _progress() as on_progress:
        tables, about = measured(
            name, data, seed=seed, device=_picked(device), on_progress=on_progress
        )
    write(save(out or _report(name, "spread"), "spread", tables, about))


@group.command("session")
def eval_session(
    name: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="A folder of gdr train, or a model.")
    ],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="SET",
            help="The tracks to find, with words for them (a folder of gdr extract).",
        ),
    ],
    ear: Annotated[
        list[str],
        typer.Option(
            "--ear",
            metavar="SET",
            help="The same tracks, extracted by another encoder: how alike they sound. Repeatable.",
        ),
    ],
    half: Annotated[
        int,
        typer.Option(
            min=1, max=2, help="Which half of the tracks is looked for; strengths come from 1."
        ),
    ] = 2,
    targets: Annotated[
        int, typer.Option(min=2, metavar="N", help="Tracks that are looked for, at most.")
    ] = 300,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Persons who look for each track.")
    ] = 3,
    method: MethodOption = Method.GDR,
    ablations: Annotated[
        bool, typer.Option(help="Measure every move for itself, and other ways of showing results.")
    ] = True,
    out: Report = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Count the looks that a simulated person needs to find a track, with gdr and with a rival.

    A person knows a track by ear and in a few words, looks at ten new results at a time, and makes
    moves: words, the nearest of these, likes, bans and others. The rival answers them with a
    two-tower model and arithmetic.
    """
    from training.evaluation.session.session import session
    from training.evaluation.session.world import world
    from training.evaluation.tables import save

    with _progress() as on_progress, world(name, data, ear, _picked(device)) as found:
        tables, about = session(
            found,
            half=half,
            targets=targets,
            seeds=seeds,
            method=method,
            ablations=ablations,
            on_progress=on_progress,
        )
    write(save(out or _report(name, "session"), "session", tables, about))


def _picked(device: str) -> torch.device:
    from gdr_model.models import checkpoint

    return checkpoint.pick_device(device)


def _report(name: str, protocol: str) -> Path:
    """Where a report goes: into a run's folder, or one named after the protocol."""
    from training.evaluation.subjects import is_run

    return Path(name) if is_run(name) else Path(protocol)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Names what is being done, on one thread, which makes the figures repeatable."""
    use_one_thread()
    with bars(Shown.NAME) as progress:
        yield progress.say
