"""What a run leaves: data frames, a summary, and a folder that is either whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim import provenance
from ecosim.blueprint import IMPORTANCE
from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.folders import NewFolder
from ecosim.state import CLOSES, FIRM_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.model import Ecosystem

FRAMES = ("series", "firms", "links", "events")
FILES = ("manifest.json", "summary.json", "scenario.yaml", "figure.png", *(f"{frame}.parquet" for frame in FRAMES))
DAILY = "daily.parquet"  # only where days were recorded
LEDGER = "ledger.parquet"
#: Only where they were made: accounts where finance was on or policies were, causes of harm where they were followed.
EXTRAS = ("ledger", "policies", "lineage", "debts")
OPTIONAL = (DAILY, *(f"{frame}.parquet" for frame in EXTRAS))
FAILING_EVENT = "falls below half"


@dataclass(frozen=True, repr=False)
class Result:
    """One run and its unshocked twin.

    ``series`` has a row a day (-1 at rest) and a column a metric, with ``twin_`` columns for the undisturbed twin;
    ``firms`` a row a firm, ``links`` a row a supply link, ``events`` a row for each thing that befell a firm; amounts
    in currency units. ``summary`` holds the figures that the printed summary is made of, ``manifest`` what is needed
    to run it again. ``recorded`` is the Parquet file of the days, where `ecosim.run` was told to ``record`` columns;
    ``ledger`` what `ecosim.report.ledger` makes its tables of, where finance was on. ``policies`` has a row for each
    policy and firm that it reached, where there were policies (`ecosim.report.aid`). ``lineage`` has a row for each
    stretch of days in which one cause bound one firm, and ``debts`` one for each bad debt: `ecosim.lineage.Cascade`
    follows them back to the shock.
    """

    scenario: Scenario
    series: pd.DataFrame
    firms: pd.DataFrame
    links: pd.DataFrame
    events: pd.DataFrame
    summary: dict[str, Any]
    manifest: dict[str, Any] = field(default_factory=dict)
    recorded: Path | None = None
    ledger: pd.DataFrame | None = None
    policies: pd.DataFrame | None = None
    lineage: pd.DataFrame | None = None
    debts: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Say what it holds; the frames are for looking at one by one."""
        return f"<Result {self.scenario.name!r}: {len(self.firms):,} firms, {self.summary['days']:,} days>"

    @property
    def daily(self) -> pd.DataFrame:
        """A row for every firm and day, with ``day``, ``row`` (in ``firms``) and the columns that were recorded.

        It is read from the file each time it is asked for; ``pandas.read_parquet(result.recorded, columns=...,
        filters=[("day", "==", 30)])`` reads a part. Raises InputError where nothing was recorded, or the file is gone.
        """
        return pd.read_parquet(self._recorded())

    def _recorded(self) -> Path:
        if self.recorded is None:
            raise InputError(
                "no days were recorded; run again with record=('production',) and daily='daily.parquet', or "
                "ecosim run --record production"
            )
        if not self.recorded.is_file():
            raise InputError(f"{self.recorded}: the recorded days are gone; put the file back, or run again")
        return self.recorded

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write everything to ``folder``; an existing one is replaced only with ``force``.

        Files are written to a hidden folder beside it, which takes its name when it is whole: an interrupted save
        leaves nothing that looks like a result, and two at once never replace each other's. A folder that holds
        anything that no run writes is never replaced.
        """
        with NewFolder(folder, FILES, optional=OPTIONAL, force=force) as place:
            return self.publish(place)

    def publish(self, place: NewFolder) -> Path:
        """Write everything to a folder that was made ready, and give it its name."""
        from ecosim.report.figure import draw

        half = place.half
        if self.recorded is not None and not (half / DAILY).is_file():  # the command records to its place at once
            recorded = self._recorded()
            with place.told():
                shutil.copyfile(recorded, half / DAILY)
        with place.told():
            (half / "scenario.yaml").write_text(self.scenario.to_yaml(), encoding="utf-8")
            for name in FRAMES:
                getattr(self, name).to_parquet(half / f"{name}.parquet")
            for name in EXTRAS:
                frame = getattr(self, name)
                if frame is not None:
                    frame.to_parquet(half / f"{name}.parquet", compression="zstd")
            (half / "summary.json").write_text(_json(self.summary), encoding="utf-8")
            draw(self.series, self.firms, self.summary, half / "figure.png")
            files = {path.name: provenance.sha256(path) for path in sorted(half.iterdir())}
            (half / "manifest.json").write_text(_json({**self.manifest, "files": files}), encoding="utf-8")
        return place.publish()

    @classmethod
    def load(cls, folder: str | Path, *, allow_code: bool = False) -> Result:
        """Read a folder written by ``save``; its scenario may name classes of yours only with ``allow_code``."""
        source = Path(folder)
        manifest = checked(source)
        return cls(
            scenario=Scenario.from_yaml(
                (source / "scenario.yaml").read_text(encoding="utf-8"),
                name=str(source / "scenario.yaml"),
                allow_code=allow_code,
            ),
            **{name: pd.read_parquet(source / f"{name}.parquet") for name in FRAMES},
            summary=json.loads((source / "summary.json").read_text(encoding="utf-8")),
            manifest=manifest,
            recorded=source / DAILY if DAILY in manifest["files"] else None,
            **{
                name: pd.read_parquet(source / f"{name}.parquet")
                for name in EXTRAS
                if f"{name}.parquet" in manifest["files"]
            },
        )


def checked(source: Path) -> dict[str, Any]:
    """Return the manifest of a run's folder; raises InputError where a file is missing or changed."""
    missing = [name for name in FILES if not (source / name).is_file()]
    if missing:
        raise InputError(f"{source}: not the folder of a run: {missing[0]} is missing; give one written by ecosim run")
    try:
        manifest: dict[str, Any] = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
        optional = [name for name in OPTIONAL if name in manifest["files"] or (source / name).exists()]
        sums = {name: manifest["files"][name] for name in (*FILES[1:], *optional)}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{source / 'manifest.json'}: damaged ({error}); run the scenario again") from None
    for name, expected in sums.items():
        if not (source / name).is_file() or provenance.sha256(source / name) != expected:
            raise InputError(f"{source / name}: changed since it was written; run the scenario again")
    return manifest


def load_ledger(folder: str | Path) -> pd.DataFrame:
    """Read what was measured of money in a run, and no code of the scenario; refuse a run without finance."""
    source = Path(folder)
    if LEDGER not in checked(source)["files"]:
        raise InputError(
            f"{source}: finance was off, so nobody has accounts; run it with finance: "
            f"ecosim run {shlex.quote(str(source / 'scenario.yaml'))} --set 'mechanisms=[{{kind: finance}}]'"
        )
    return pd.read_parquet(source / LEDGER)


@dataclass(frozen=True)
class Calm:
    """What is kept of a twin: its ``series``; what each firm ``produced`` and when it failed, (firms,) each."""

    series: pd.DataFrame
    produced: NDArray[np.float64]
    failed_on: NDArray[np.float64]
    closures: int = 0
    """How many times a firm went out of business."""

    @classmethod
    def of(cls, twin: Ecosystem) -> Calm:
        """What is kept of a twin that has lived all its days."""
        return cls(twin.series, twin.world.firms.produced, twin.world.firms.failed_on, closures(twin))


def closures(eco: Ecosystem) -> int:
    """How many times a firm went out of business so far."""
    return sum(len(event["rows"]) for event in eco.world.events if event["event"].startswith(CLOSES))


def compared(eco: Ecosystem, twin: Calm) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Series, firms and summary of a finished run beside its twin."""
    from ecosim.report.summary import summarise

    series = eco.series
    calm = twin.series
    for name in calm.columns:
        series[f"twin_{name}"] = calm[name]
    firms = _firms(eco, twin)
    return series, firms, summarise(eco, series, firms, (closures(eco), twin.closures))


def collect(eco: Ecosystem, twin: Calm, seconds: float) -> Result:
    """Gather a finished run and what its twin did."""
    from ecosim.report.aid import accounts
    from ecosim.report.ledger import measure

    series, firms, summary = compared(eco, twin)
    return Result(
        scenario=eco.scenario,
        series=series,
        firms=firms,
        links=_links(eco),
        events=_events(eco, firms),
        summary=summary,
        manifest=_manifest(eco, seconds),
        ledger=measure(eco.world),
        policies=accounts(eco),
    )


def _label(codes: Any, names: tuple[str, ...]) -> pd.Categorical:
    return pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64), categories=pd.Index(names, dtype="str"))


def _firms(eco: Ecosystem, twin: Calm) -> pd.DataFrame:
    world = eco.world
    plan, table = world.plan, world.firms
    kinds = tuple(cls.__name__ for cls in eco.roster.classes)
    calm = twin.produced
    lost = calm - table.produced
    return pd.DataFrame(
        {
            "firm": list(plan.names),
            "type": _label(eco.roster.kind[: table.rows], kinds),
            "sector": _label(plan.firms.sector, plan.firms.sector_names),
            "region": _label(plan.firms.region, plan.firms.region_names),
            "customer": _label(plan.customer, plan.customer_names),
            "x": plan.firms.x,
            "y": plan.firms.y,
            "suppliers": np.diff(world.links.ptr),
            "clients": np.diff(world.links.out_ptr),
            "output": table.output,
            "final_demand": plan.firms.final_demand,
            "produced": table.produced,
            "lost": lost,
            "lost_percent": 100.0 * np.divide(lost, calm, out=np.zeros_like(lost), where=calm > 0),
            "lowest": table.lowest,
            "failed_on": table.failed_on.astype(np.int64),
            "twin_failed_on": twin.failed_on.astype(np.int64),
            "damage": _damage(eco),
            "struck": _struck(eco),
            **{name: column for name, column in table.columns.items() if name not in FIRM_COLUMNS},
        }
    )


def _damage(eco: Ecosystem) -> Any:
    """Largest share of capacity that shocks took from each firm at first, shape (firms,)."""
    damage = np.zeros(eco.world.firms.rows)
    for event in eco.world.events:
        if event["damage"]:
            np.maximum.at(damage, event["rows"], event["amount"])
    return damage


def _struck(eco: Ecosystem) -> Any:
    """Whether each firm was hit by a shock, shape (firms,)."""
    struck = _damage(eco) > 0
    for shock in eco.scenario.shocks:
        kept = eco.world.memory.get(getattr(shock, "label", ""), {})
        if "origin" in kept:
            struck[kept["rows"][(kept["first"] > 0) & (kept["day"] <= eco.world.day)]] = True
    return struck


def _links(eco: Ecosystem) -> pd.DataFrame:
    world = eco.world
    names = world.plan.names
    links = world.links
    return pd.DataFrame(
        {
            "supplier": _label(links.supplier, names),
            "client": _label(links.buyer, names),
            "product": links.product,
            "importance": _label(links.importance, IMPORTANCE),
            "flow": links.flow,
            "stock": links.stock,
            "ordered": links.ordered,
            "delivered": links.delivered,
            **links.columns,
        }
    )


def _events(eco: Ecosystem, firms: pd.DataFrame) -> pd.DataFrame:
    """Every event by day: what shocks did, and firms that fell below half of their output (``amount``: the share)."""
    failed = np.flatnonzero(firms["failed_on"].to_numpy() >= 0)
    noted = [(event["day"], event["event"], event["rows"], event["amount"]) for event in eco.world.events]
    days = np.concatenate([*(np.full(len(rows), day) for day, _, rows, _ in noted), firms["failed_on"].iloc[failed]])
    rows = np.concatenate([*(rows for *_, rows, _ in noted), failed]).astype(np.int64)
    what = [name for _, name, rows_, _ in noted for _ in range(len(rows_))] + [FAILING_EVENT] * len(failed)
    amount = np.concatenate([*(amount for *_, amount in noted), np.full(len(failed), 0.5)])
    frame = pd.DataFrame({"day": days.astype(np.int64), "event": what, "amount": amount.astype(np.float64)})
    for name in ("firm", "sector", "region"):
        frame.insert(2, name, firms[name].iloc[rows].astype("str").to_numpy())
    return frame.sort_values("day", kind="stable", ignore_index=True)


def _manifest(eco: Ecosystem, seconds: float) -> dict[str, Any]:
    network = hashlib.sha256()
    links = eco.world.links
    plan = eco.world.plan
    firms = (plan.firms.final_demand, plan.firms.sector, plan.customer)
    for array in (links.ptr, links.supplier, links.product, links.flow, *firms):
        network.update(np.ascontiguousarray(array).tobytes())
    return {
        **provenance.record(eco.scenario, seed=eco.seed, imported=eco.world.plan.sources | eco.world.sources),
        "replicate": eco.replicate,
        "network_sha256": network.hexdigest(),
        "series_sha256": hashlib.sha256(eco._series.tobytes()).hexdigest(),
        "seconds": round(seconds, 3),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + os.linesep
