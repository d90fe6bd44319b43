"""Everything an atlas says, as files: tables for other programs, maps for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.folders import NewFile

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecosim.resilience.atlas_run import Atlas


def write(atlas: Atlas) -> list[Path]:
    """Write tables (CSV, Parquet, Markdown) and maps (PNG) into the folder ``tables`` of the atlas; return them."""
    from ecosim.resilience.atlas_cells import MEASURES
    from ecosim.resilience.atlas_explain import explained, patterns
    from ecosim.resilience.atlas_map import draw, draw_ranks
    from ecosim.resilience.atlas_page import page
    from ecosim.resilience.atlas_tables import curves, structures

    folder = atlas.folder / "tables"
    folder.mkdir(exist_ok=True)
    spec, written = atlas.spec, []

    def keep(name: str, frame: pd.DataFrame) -> None:
        with NewFile(folder / name, replace=True) as half:
            if name.endswith(".csv"):
                frame.to_csv(half, index=False, float_format="%.6g")
            else:
                frame.to_parquet(half, index=False, compression="zstd")
        written.append(folder / name)

    keep("verdicts.csv", atlas.table)
    keep("curves.parquet", curves(atlas))
    keep("ranks.csv", atlas.ranks)
    keep("structures.csv", structures(atlas))
    keep("explained.csv", explained(atlas))
    if spec.rewired:
        keep("patterns.csv", patterns(atlas))
    with NewFile(folder / "page.md", replace=True) as half:
        half.write_text(page(atlas), encoding="utf-8")
    written.append(folder / "page.md")
    tables = ["own"] + (["equal"] if spec.equal_cost is not None else [])
    for which in tables:
        for measure in MEASURES:
            path = folder / f"map_{which}_{measure}.png"
            draw(spec, atlas.table, path, which=which, measure=measure)
            written.append(path)
    draw_ranks(spec, atlas.ranks, folder / "ranks.png")
    return [*written, folder / "ranks.png"]
