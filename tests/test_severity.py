"""How hard shocks hit: distributions against their closed forms, firm-days, and draws that no network changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ecosim import InputError, Scenario
from ecosim.model import Ecosystem
from ecosim.rng import Stream
from ecosim.shocks.recovery import Easing, Recovery
from ecosim.shocks.severity import Beta, Distribution, Lognormal, Pareto, Uniform

SMALL = {"kind": "uniform", "firms": 60}


def town(shock: dict[str, Any], **parts: Any) -> Ecosystem:
    parts.setdefault("economy", SMALL)
    days = parts.pop("days", 60)
    return Ecosystem(Scenario(days=days, shocks=[{"kind": "outage", **shock}], **parts))


# --- laws -------------------------------------------------------------------------------------------------------------

LAWS: list[tuple[Distribution, Any]] = [
    (Uniform(low=0.2, high=0.7), stats.uniform(0.2, 0.5)),
    (Beta(a=2, b=5), stats.beta(2, 5)),
    (Beta(a=0.5, b=0.5, largest=0.8), stats.beta(0.5, 0.5, scale=0.8)),
    (Lognormal(median=0.3, sigma=0.8), stats.lognorm(0.8, scale=0.3)),
    (Pareto(xi=0, scale=0.1), stats.genpareto(0, scale=0.1)),
    (Pareto(xi=0.25, scale=0.1), stats.genpareto(0.25, scale=0.1)),
    (Pareto(xi=0.5, scale=0.1), stats.genpareto(0.5, scale=0.1)),
]


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=lambda item: repr(item)[:40])
def test_quantiles_are_those_of_the_law(law: Distribution, reference: Any) -> None:
    luck = np.linspace(0, 1, 1001)[:-1]
    np.testing.assert_allclose(law.quantile(luck), reference.ppf(luck), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=lambda item: repr(item)[:40])
def test_what_exceeds_the_capacity_takes_all_of_it(law: Distribution, reference: Any) -> None:
    drawn = law.shares(Stream(1, 0, "draws").uniform(0, np.arange(20_000)), None, "severity")
    all_of_it = reference.sf(1.0)
    assert (drawn == 1.0).mean() == pytest.approx(all_of_it, abs=5 * np.sqrt(all_of_it / 20_000))
    below = drawn[drawn < 1.0]
    assert stats.kstest(below, lambda x: reference.cdf(x) / reference.cdf(1.0)).pvalue > 1e-3


# --- firm-days --------------------------------------------------------------------------------------------------------


def lived(recovery: dict[str, Any], severity: float, days: int) -> float:
    """Days of its whole capacity that one firm loses in a run."""
    eco = town({"who": {"firms": "Goods #3"}, "severity": severity, "recovery": recovery}, days=days)
    lost = 0.0
    for _ in range(days):
        eco.step()
        lost += 1.0 - float(eco.world.firms.capacity[2] / eco.world.firms.output[2])
    return lost


@pytest.mark.parametrize("law", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("span", "start"), [(1.0, 0), (6.0, 0), (6.0, 3), (2.5, 2), (0.5, 1)])
def test_firm_days_are_what_a_firm_loses(law: int, span: float, start: int) -> None:
    recovery = {"law": law, "days": span, "start": start}
    severities, days = Recovery(**recovery).firm_days()  # type: ignore[arg-type]
    assert severities[[0, -1]].tolist() == [0.0, 1.0]
    for severity in (0.13, 0.5, 1.0):
        expected = float(np.interp(severity, severities, days))
        assert lived(recovery, severity, 150) == pytest.approx(expected, abs=1e-6 if law in {3, 4} else 1e-9)


@pytest.mark.parametrize(("days", "ease"), [(1, 0), (5, 0), (5, 4)])
def test_firm_days_of_a_spell(days: int, ease: int) -> None:
    scenario = Scenario(
        days=20,
        economy=SMALL,
        shocks=[{"kind": "pulse", "channel": "capacity", "factor": 0.0, "severity": 0.5, "days": days, "ease": ease}],
    )
    eco, lost = Ecosystem(scenario), 0.0
    for _ in range(20):
        eco.step()
        lost += 1.0 - float(eco.world.firms.capacity[2] / eco.world.firms.output[2])
    severities, firm_days = Easing(days, ease).firm_days()
    assert lost == pytest.approx(float(np.interp(0.5, severities, firm_days)), abs=1e-12)


@pytest.mark.parametrize("law", [0, 1, 2, 3])
def test_as_many_firm_days_are_lost_as_were_drawn_up_to_the_capacity(law: int) -> None:
    """The capacity lost in the run, summed firm by firm, against the draws themselves."""
    recovery = {"law": law, "days": 4.0, "start": 1}
    most = float(Recovery(**recovery).firm_days()[1][-1])  # type: ignore[arg-type]
    drawn = {"kind": "pareto", "xi": 0.25, "scale": most / 3, "unit": "firm_days"}
    eco = town({"severity": drawn, "recovery": recovery}, days=120)
    lost = np.zeros(60)
    for _ in range(120):
        eco.step()
        lost += 1.0 - eco.world.firms.capacity / eco.world.firms.output
    stream = eco.world.streams["shock: outage: severity"]
    wanted = Pareto(xi=0.25, scale=most / 3).quantile(stream.uniform(0, np.arange(60)))
    assert 0 < (wanted > most).sum() < 30
    np.testing.assert_allclose(lost, np.minimum(wanted, most), atol=1e-6)


# --- draws ------------------------------------------------------------------------------------------------------------


def test_each_firm_and_strike_has_a_draw_of_its_own() -> None:
    strikes = {"kind": "sequence", "events": 6, "from": 0, "to": 50, "burstiness": 0}
    kept = town({"when": strikes, "severity": {"kind": "uniform"}}).world.memory["outage"]
    assert len(np.unique(kept["first"])) == 6 * 60
    few = town({"who": {"count": 7}, "when": strikes, "severity": {"kind": "uniform"}}).world.memory["outage"]
    drawn = {
        (row, number): share for row, number, share in zip(kept["rows"], kept["number"], kept["first"], strict=True)
    }
    for row, number, share in zip(few["rows"], few["number"], few["first"], strict=True):
        assert drawn[row, number] == share


# --- what is told and refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", [0.0, {"Goods #3": 0.0}, {"kind": "uniform", "high": 0.0}], ids=str)
def test_a_severity_of_nothing_is_told(severity: Any, tmp_path: Any) -> None:
    import json

    import ecosim

    eco = town({"severity": severity, "name": "breeze"})
    assert eco.world.remarks == ["breeze takes nothing: its severity is 0."]
    result = ecosim.run(eco.scenario)
    assert result.summary["remarks"] == eco.world.remarks
    from ecosim.report.summary import sentences

    told = sentences(result.summary)
    assert "breeze takes nothing: its severity is 0." in told
    assert not any("hit 0 firms" in sentence for sentence in told)
    written = json.loads((result.save(tmp_path / "run") / "summary.json").read_text())
    assert written["remarks"] == eco.world.remarks
    eco.run_for(3)
    eco.save(tmp_path / "eco.npz")
    assert Ecosystem.restore(tmp_path / "eco.npz").world.remarks == eco.world.remarks


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("severity: {kind: gamma}", "severity.kind: 'gamma' is no distribution; give one of uniform, beta, lognormal"),
        ("severity: {kind: pareto}", "severity.scale: missing; give a number above 0"),
        ("severity: {kind: pareto, scale: 0}", "severity.scale: 0 is too small; give a number above 0"),
        ("severity: {kind: pareto, scale: 1, xi: -1}", "severity.xi: -1 is too small"),
        ("severity: {kind: uniform, low: 0.5, high: 0.2}", "severity.high: 0.2 is below low, 0.5; give more"),
        ("severity: {kind: uniform, unit: hours}", "severity.unit: 'hours' is not known; give one of share, firm_days"),
        ("severity: 1.5", "severity: 1.5 is not a share of capacity; give a number from 0 to 1"),
        ("severity: {'Goods #1': 2}", "severity: 2 is not a share of capacity; give a number from 0 to 1"),
        ("severity: heavy", "severity: 'heavy' is text; give a number or keys out of unit, kind, low, high or"),
        (
            "severity: {'Goods #1': 0.5}\n    contagion: {along: region}",
            "severity names the firms, so contagion cannot reach others; give one severity for all",
        ),
        (
            "severity: {'Goods #1': 0.5}\n    when: {replay: a.csv}",
            "severity names the firms, and so does the file of when; give one severity for all",
        ),
        (
            "severity: {kind: uniform, unit: firm_days}\n    recovery: null",
            "severity.unit: firm_days, but what never passes costs days without end; give a recovery, or give unit",
        ),
        (
            "severity: {kind: uniform, unit: firm_days}\n    recovery: {law: damped}",
            "severity.unit: firm_days, but under law 5 (damped) what is lost depends on the neighbours; choose another",
        ),
    ],
)
def test_a_severity_that_cannot_be_is_refused_with_its_place(keys: str, text: str) -> None:
    with pytest.raises(InputError) as refused:
        Ecosystem(Scenario.from_yaml(f"economy: {{kind: uniform, firms: 40}}\nshocks:\n  - kind: outage\n    {keys}\n"))
    assert text in str(refused.value)
    assert "shocks.0" in str(refused.value)


def test_distributions_are_written_down_and_set_by_path() -> None:
    base = Scenario(shocks=[{"kind": "outage", "severity": {"kind": "pareto", "scale": 0.1}}])
    assert Scenario.from_yaml(base.to_yaml()) == base
    heavy = base.with_({"shocks.0.severity.xi": 0.5})
    assert heavy.shocks[0].severity == Pareto(xi=0.5, scale=0.1)  # type: ignore[attr-defined]
