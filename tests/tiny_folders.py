"""A folder of each kind that commands write, of worlds so small that they take moments."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import ecosim
from ecosim.resilience import compare
from ecosim.resilience.atlas_run import atlas
from ecosim.resilience.atlas_spec import AtlasSpec
from ecosim.study import runner
from ecosim.study.sweeping import sweep
from tests.test_study import Here

FIRE = {"kind": "outage", "name": "fire", "when": 3, "severity": 0.8, "who": {"share": 0.3}, "recovery": {"days": 8}}
WORLD = {
    "name": "small",
    "days": 20,
    "seed": 4,
    "economy.kind": "uniform",
    "economy.firms": 60,
    "network.kind": "random",
    "shocks": [FIRE],
}
PAGE = """# a policy study

2 packages of 1 lever were lived in the same 2 futures with the same luck.

**1 training futures are left out, because a run failed in them.**

## The answer

Recommended: **none**. In 2 fresh futures, against doing nothing: no difference could be shown (+0.1 [-0.4, +0.6]
points of consumption); corrected P 1.

## For each unit spent

Days saved for each day spent.

| package | spent | saved |
|---|---|---|
| grants 1 | +0.04 [+0.01, +0.06] | +0.02 [-0.2, +0.2] |

(1 more rows in the table.)

## What this rests on

- Nobody's taxes pay for what is spent.
"""


def world(**changes):
    return ecosim.Scenario().with_(WORLD | changes)


def run(place: Path, **changes) -> Path:
    scenario = world(**changes)
    return ecosim.run(scenario).save(place)


def comparison(place: Path, second=None, replicates: int = 8) -> Path:
    lean = world(**{"economy.inventory_days": 3, "name": "lean"})
    other = second or {"economy.inventory_days": 9}
    pair = {"lean": lean, "stocked": lean.with_({"name": "stocked", **other})}
    return compare(pair, replicates=replicates, intensities=5).save(place)


def study(place: Path, **changes) -> Path:
    given = {
        "name": "a study",
        "scenario": world(),
        "factors": {"shocks.0.severity": {"low": 0.1, "high": 0.9}, "economy.inventory_days": [3, 9]},
        "design": {"kind": "full"},
        "replicates": 3,
        "outcomes": ["loss.production_percent", "failed.percent"],
    }
    with patch.object(runner, "Processes", Here):  # in this process, which has everything loaded
        sweep(given | changes, out=place, workers=1)
    return place


def map_of(place: Path) -> Path:
    spec = AtlasSpec.model_validate(
        {
            "name": "an atlas",
            "economy": {"kind": "uniform", "firms": 24, "regions": 2},
            "suppliers": 3,
            "days": 12,
            "replicates": 4,
            "intensities": 5,
            "structures": {"random": {"kind": "random"}, "ring": {"kind": "ring"}},
            "shocks": {"fire": {"title": "a fire", "of": [FIRE]}},
            "habits": {"lean": {"inventory_days": 2}, "stocked": {"inventory_days": 8}},
            "looked_at": 1,
            "nulls": 2,
        }
    )
    atlas(spec, out=place)
    return place


def policy_study(place: Path) -> Path:
    """The folder of a policy study as far as a report reads it: its page, its keys, and a stage that was lived."""
    place.mkdir()
    study(place / "runs" / "listed", replicates=1)
    (place / "page.md").write_text(PAGE)
    (place / "study.json").write_text(
        '{"name": "a policy study", "levers": {"grants": {}}, "shocks": {"fire": []}, "outcome": "consumption", '
        '"target": null}'
    )
    return place


KINDS = {"run": run, "comparison": comparison, "atlas": map_of, "sweep": study, "policy": policy_study}


@cache
def _made(kind: str) -> TemporaryDirectory:
    place = TemporaryDirectory()
    KINDS[kind](Path(place.name) / kind)
    return place


def copied(kind: str, place: Path) -> Path:
    """A folder of a kind as above, made once and copied, for a test to do with as it likes."""
    return Path(shutil.copytree(Path(_made(kind).name) / kind, place))
