"""The contract of every mechanism: neutral when off, at rest when on, saved to the bit, refused when contradictory."""

import copy
import pickle
from typing import Literal

import numpy as np
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.agents import DECISIONS_OF
from ecosim.config import ScenarioError
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import PHASES, SEQUENCE, Mechanism
from ecosim.spread import Spread, parameter

KINDS = known("mechanisms")
NOISY = {"turnover", "experiments", "judgement", "opportunity"}
TOWN = Scenario(
    name="town",
    days=120,
    economy={"kind": "table", "firms": 150, "headroom": 0.2},
    shocks=[{"kind": "outage", "who": {"share": 0.2}, "when": 5, "severity": 0.6, "recovery": {"days": 20}}],
)


def with_needs(*kinds):
    """These mechanisms and those without which they mean nothing."""
    wanted = list(kinds)
    for kind in wanted:
        wanted += [needed for needed in find("mechanisms", kind).needs if needed not in wanted]
    return wanted


def town(*kinds, **changes):
    return TOWN.with_({"mechanisms": [{"kind": kind} for kind in with_needs(*kinds)], **changes})


def state(eco):
    """Every array that a day may change."""
    world = eco.world
    found = {f"firms.{name}": column for name, column in world.firms.columns.items()}
    found |= {f"people.{name}": column for name, column in world.customers.columns.items()}
    found |= {
        f"links.{name}": getattr(world.links, name) for name in ("supplier", "flow", "stock", "ordered", "delivered")
    }
    found |= {f"link.{name}": column for name, column in world.links.columns.items()}
    found |= {f"memory.{who}.{name}": held for who, memory in world.memory.items() for name, held in memory.items()}
    if world.money is not None:
        found |= {"accounts": world.money.accounts, **world.money.flows}
    return found | {"series": eco._series}


def assert_same(one, other):
    left, right = state(one), state(other)
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


def test_every_mechanism_has_its_place_in_the_day():
    assert set(KINDS) == set(SEQUENCE)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_is(kind):
    part = find("mechanisms", kind)
    assert issubclass(part, Mechanism)
    assert any(hasattr(part, phase) for phase in PHASES)
    assert len(part.__doc__ or "") > 200
    for name, field in part.model_fields.items():
        if name == "kind":
            continue
        extra = field.json_schema_extra
        assert isinstance(extra, dict), f"{name}: declare it with parameter(...)"
        assert extra["unit"], name
        assert extra["source"], name
        assert field.description, f"{name} has no docstring"


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_out_of_range_are_refused_with_their_path(kind):
    part = find("mechanisms", kind)
    ranged = {name: part.bounds(name) for name in part.model_fields if np.isfinite(part.bounds(name)[1])}
    assert ranged
    for name, (_, high) in ranged.items():
        with pytest.raises(ScenarioError, match=rf"mechanisms\.{kind}\.{name}|mechanisms\.\d+\.{name}"):
            town(kind, **{f"mechanisms.{kind}.{name}": high * 2 + 1})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NOISY])
def test_an_economy_rests_with_it(kind):
    if NOISY & set(with_needs(kind)):
        pytest.skip("needs a mechanism that makes noise")
    still = {"mechanisms.sourcing.link_survival": 1.0} if "sourcing" in with_needs(kind) else {}
    eco = Ecosystem(town(kind, shocks=[], days=365).with_(still))
    before = {name: eco.world.firms.columns[name].copy() for name in ("production", "consumption")}
    cash = eco.world.firms.cash.copy() if eco.world.money is not None else None
    eco.run_for(365)
    for name, values in before.items():
        np.testing.assert_allclose(eco.world.firms.columns[name], values, rtol=1e-9, atol=1e-9)
    if cash is not None:
        np.testing.assert_allclose(eco.world.firms.cash, cash, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_repeats_and_goes_on_to_the_bit(kind, tmp_path):
    whole, cut = Ecosystem(town(kind)), Ecosystem(town(kind))
    whole.run_for(60)
    cut.run_for(25)
    cut.save(tmp_path / "state.npz")
    ways = [Ecosystem.restore(tmp_path / "state.npz"), pickle.loads(pickle.dumps(cut)), copy.deepcopy(cut), cut]
    for eco in ways:
        eco.run_for(35)
        assert_same(eco, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_another_mechanism_does_not_change_its_draws(kind):
    """Randomness is addressed: what is drawn before the first day does not depend on what else is on."""
    alone = Ecosystem(town(kind))
    beside = Ecosystem(town(*KINDS))
    part = find("mechanisms", kind)()
    for name in type(part).model_fields:
        if isinstance(getattr(part, name), Spread):
            np.testing.assert_array_equal(part.per_firm(alone.world, name), part.per_firm(beside.world, name))


def test_all_together_repeat_and_go_on_to_the_bit(tmp_path):
    whole, cut = Ecosystem(town(*KINDS)), Ecosystem(town(*KINDS))
    whole.run_for(60)
    cut.run_for(25)
    cut.save(tmp_path / "state.npz")
    restored = Ecosystem.restore(tmp_path / "state.npz")
    restored.run_for(35)
    assert_same(restored, whole)


def test_the_order_in_the_scenario_makes_no_difference():
    one, other = Ecosystem(town(*KINDS)), Ecosystem(town(*reversed(KINDS)))
    one.run_for(40)
    other.run_for(40)
    assert_same(one, other)


def test_nothing_on_is_the_published_core_to_the_bit():
    plain = Ecosystem(TOWN)
    plain.run_for(60)
    none = Ecosystem(TOWN.with_({"mechanisms": []}))
    none.run_for(60)
    assert_same(plain, none)
    assert plain.world.money is None
    assert set(plain.world.firms.columns) == set(ecosim.state.FIRM_COLUMNS)


# The frame ------------------------------------------------------------------------------------------------------------


class Holiday(Mechanism):
    """Every seventh day a share of firms is closed."""

    kind: Literal["holiday"] = "holiday"
    share: float = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of capacity that rests."""

    def morning(self, world, rng):
        if world.day % 7 == 6:
            world.sheet.scale("capability", np.full(world.firms.rows, 1 - self.share))


class Lonely(Holiday):
    """Means nothing alone."""

    kind: Literal["lonely"] = "lonely"
    needs = ("holiday",)


def test_a_mechanism_of_your_own_is_one_class():
    eco = Ecosystem(TOWN.with_({"shocks": [], "mechanisms": [{"kind": Holiday}]}))
    eco.run_for(7)
    assert eco.world.firms.capacity == pytest.approx(0.5 * 1.2 * eco.world.firms.output)
    eco.run_for(1)
    assert eco.world.firms.capacity == pytest.approx(1.2 * eco.world.firms.output)


def test_what_contradicts_itself_is_refused():
    own = {"kind": Holiday}
    with pytest.raises(InputError, match=r"mechanisms\.1\.kind: 'holiday' is on already \(mechanisms\.0\)"):
        Ecosystem(TOWN.with_({"mechanisms": [own, own]}))
    with pytest.raises(InputError, match=r"mechanisms\.0\.kind: lonely means nothing without holiday; add"):
        Ecosystem(TOWN.with_({"mechanisms": [{"kind": Lonely}]}))
    with pytest.raises(ScenarioError, match=r"mechanisms\.0\.share: 1\.5 is out of range; give 0 to 1"):
        TOWN.with_({"mechanisms": [{"kind": Holiday, "share": 1.5}]})


@pytest.mark.parametrize("decision", DECISIONS_OF)
def test_a_decision_that_nobody_asks_for_is_refused(decision):
    cls = type("Own", (ecosim.SMB,), {decision: lambda self, *given: None})
    with pytest.raises(InputError, match=rf"Own\.{decision}\(\) would never be asked"):
        Ecosystem(TOWN, agents={cls: None})


def test_a_spread_draws_what_it_says():
    names = ("Retail trade", "Mining", "Construction")
    sector = np.repeat([0, 1, 2], 20_000)
    stream = ecosim.rng.Streams(1)["spread"]
    role = np.tile([0, 1], 30_000)
    drawn = Spread(median=10, sigma=0.5, by={"retail": 20, "Mining": 5}).draw(stream, sector, names, role)
    assert [np.median(drawn[sector == at]) for at in range(3)] == pytest.approx([20, 5, 10], rel=0.02)
    assert np.std(np.log(drawn[:20_000])) == pytest.approx(0.5, rel=0.02)
    by_role = Spread(median=10, by={"Supplier": 30, "Mining": 5}).draw(stream, sector, names, role)
    assert [set(by_role[role == at].tolist()) for at in range(2)] == [{10, 5}, {30, 5}]
    flat = Spread(law="uniform", low=2, high=4).draw(stream, sector, names, role)
    assert (flat.min() >= 2, flat.max() <= 4, flat.mean()) == (True, True, pytest.approx(3, rel=0.01))
    bell = Spread(law="normal", median=3, sigma=2).draw(stream, sector, names, role)
    assert (bell.mean(), bell.std()) == (pytest.approx(3, abs=0.03), pytest.approx(2, rel=0.02))
    with pytest.raises(InputError, match="no sector, profile or role is named 'Baking'"):
        Spread(median=1, by={"Baking": 2}).draw(stream, sector, names, role)


def test_what_belongs_to_whom_is_found_by_name():
    named = TOWN.with_({"shocks.outage.severity": 0.25})
    assert named.shocks[0].severity == 0.25
