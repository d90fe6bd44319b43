"""What a comparison leaves: a folder that is either whole or not there."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim import provenance
from ecosim.config.source import read_text
from ecosim.errors import InputError
from ecosim.folders import NewFolder

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from ecosim.resilience.comparison import Comparison

FILES = ("comparison.txt", "comparison.json", "figure.png", "verdicts.parquet", "effects.parquet", "dominance.parquet")
MOST = 1000  # scenarios, whose files a folder may hold


def place(folder: str | PathLike[str], *, force: bool) -> NewFolder:
    """Return the folder to be; raises InputError where it may not be written."""
    each = (
        f"{what}_{at}.{end}" for at in range(1, MOST) for what, end in (("responses", "parquet"), ("scenario", "yaml"))
    )
    return NewFolder(str(folder), FILES, optional=tuple(each), force=force)


def write(comparison: Comparison, folder: str | PathLike[str], *, force: bool) -> Path:
    """Write tables, figure, text, and the responses and scenario of each, numbered from 1 in their order."""
    from ecosim.resilience.comparison_figure import draw

    with place(folder, force=force) as new:
        with new.told():
            for at, (name, scenario) in enumerate(comparison.scenarios.items(), 1):
                comparison.responses[name].save(new.half / f"responses_{at}.parquet")
                (new.half / f"scenario_{at}.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
            comparison.table().to_parquet(new.half / "verdicts.parquet")
            comparison.effects.to_parquet(new.half / "effects.parquet")
            differences(comparison).to_parquet(new.half / "dominance.parquet")
            (new.half / "comparison.txt").write_text(f"{comparison}\n", encoding="utf-8")
            text = json.dumps(plain(comparison), indent=2, ensure_ascii=False)
            (new.half / "comparison.json").write_text(f"{text}\n", encoding="utf-8")
            draw(comparison, new.half / "figure.png")
        return new.publish()


def read(folder: Path, *, allow_code: bool = False) -> Comparison:
    """A comparison made again of the responses and scenarios in its folder; its tables are computed anew."""
    from ecosim.config import Scenario
    from ecosim.resilience.comparison import of_responses
    from ecosim.resilience.responses import Responses

    try:
        said = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
        names, margins, remarks = list(said["made"]), said["margins_used"], tuple(said["remarks"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / 'comparison.json'}: damaged, or of an older ecosim ({error}); compare again"
        ) from None
    responses, scenarios = {}, {}
    for at, name in enumerate(names, 1):
        responses[name] = Responses.load(folder / f"responses_{at}.parquet")
        path = folder / f"scenario_{at}.yaml"
        scenarios[name] = Scenario.from_yaml(read_text(path), name=str(path), allow_code=allow_code)
    return of_responses(responses, scenarios, remarks, margins)


def differences(comparison: Comparison) -> pd.DataFrame:
    """A row for each scenario but the first and each intensity: paired difference of d with its interval."""
    parts = [
        pd.DataFrame({"scenario": name, "x": of.x, "difference": of.difference, "low": of.low, "high": of.high})
        .assign(relation=of.relation, n=of.n)
        for name, of in comparison.dominance.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def plain(comparison: Comparison) -> dict[str, Any]:
    """Verdicts, effects at full strength, dominance, costs and how it was made, as values that JSON holds."""
    last = comparison.effects[comparison.effects["intensity"] == 1.0]
    found: dict[str, Any] = {
        "first": comparison.first,
        "margins": str(next(iter(comparison.verdicts.values())).margins),
        "verdicts": json.loads(comparison.table().to_json(orient="records")),
        "effects_at_full_strength": json.loads(last.to_json(orient="records")),
        "dominance": {
            name: {"relation": of.relation, "p_values": of.p_values, "n": of.n}
            for name, of in comparison.dominance.items()
        },
        "remarks": list(comparison.remarks),
        "margins_used": asdict(next(iter(comparison.alone.values())).margins),
        "made": {name: asdict(of.made) for name, of in comparison.responses.items()},
        provenance.KEY: provenance.record(comparison.scenarios, seed=comparison.responses[comparison.first].seed),
    }
    return found
