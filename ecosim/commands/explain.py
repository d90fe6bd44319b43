"""``ecosim explain``: why a firm failed, and how the harm went from firm to firm."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from ecosim.lineage.story import Story
    from ecosim.result import Result


def explain(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    firm: Annotated[
        str | None, typer.Option(metavar="NAME", help="Tell the story of this firm; 'worst' is the one that lost most.")
    ] = None,
    check: Annotated[
        int,
        typer.Option(
            min=0,
            help="Take the named cause away and live again, for so many firms (each costs a run or two), "
            "and say how much of their loss goes with it.",
        ),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write pictures (SVG and PNG), tables (Parquet) and the graph (GraphML) here."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder of an earlier explanation.")] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the run's scenario import classes of your own.")
    ] = False,
) -> None:
    """Follow the harm of a run back to the shock: what bound whom, on which days, and through whom it came."""
    from ecosim.artefact import RUN, expect

    expect(run, RUN)  # before anything that takes seconds to import
    from rich.console import Console

    from ecosim.lineage.story import Story
    from ecosim.result import Result

    result = Result.load(run, allow_code=allow_code)
    story = Story(result)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    name = None if firm is None else story.named(firm)
    if name is None:
        _whole(story, console)
    else:
        for line in story.of_firm(name):
            console.print(line, markup=False, soft_wrap=True)
    if check:
        _take_away(result, check if name is None else 1, name, console)
    if out is not None:
        from ecosim.lineage.picture import write

        console.print(f"Written to {write(story, out, firm=name, force=force)}", markup=False)


def _whole(story: Story, console: Console) -> None:
    from rich.tree import Tree

    for line in story.of_all():
        console.print(line, markup=False, soft_wrap=True)
    cascade = story.cascade
    if not len(cascade.entries):
        return
    _show(console, "by distance from where it began (0: firms that were struck)", cascade.by_generation())
    _show(console, "by what bound the firm", cascade.by_cause())
    _show(console, "by where it began", cascade.by_root())
    _show(console, "by the way it took", cascade.by_path().head(8))
    _show(console, "firms through which most harm of others passed", cascade.conduits().set_index("firm").head(8))
    tree = Tree(
        "from those that were struck, through whom most harm passed (all that went this way, whatever it began with):"
    )
    branches = [tree]
    for depth, text in story.tree():
        branches[depth + 1 :] = [branches[depth].add(text)]
    console.print(tree, markup=False)


def _show(console: Console, title: str, frame: pd.DataFrame) -> None:
    from rich.table import Table

    from ecosim.lineage.story import amount, percent

    table = Table(title, box=None, pad_edge=False)
    for name in frame.columns:
        table.add_column(name.replace("_", " "), justify="right")
    for row in frame.itertuples():
        cells = [percent(v) if name == "share" else amount(v) for name, v in zip(frame.columns, row[1:], strict=True)]
        table.add_row(str(row[0]), *cells)
    console.print(table)


def _take_away(result: Result, firms: int, firm: str | None, console: Console) -> None:
    from rich.progress import Progress

    from ecosim.resilience.counterfactual import take_away

    with Progress(transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("living again")
        agreement = take_away(
            result, firms=firms, firm=firm, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    for line in agreement.sentences():
        console.print(line, markup=False, soft_wrap=True)
