"""The contract of every mechanism: neutral when off, at rest when on, saved to the bit, refused when contradictory."""

import copy
import pickle
import re
from collections import Counter
from typing import Literal

import numpy as np
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.agents import DECISIONS_OF
from ecosim.blueprint import Firms
from ecosim.config import ScenarioError
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import PHASES, SEQUENCE, Mechanism
from ecosim.metrics.metric import Metric
from ecosim.shocks.shock import Shock
from ecosim.spread import Spread, parameter

KINDS = known("mechanisms")
NOISY = {"turnover", "experiments", "judgement", "opportunity"}
#: Columns that several mechanisms keep together and mean the same by; whoever comes first adds them.
SHARED = {"alive", "labour_exposure", "wages", "wage_bill", "rigid_wages"}
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


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not NOISY & set(with_needs(kind))])
def test_an_economy_rests_with_it(kind):
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


def test_what_mechanisms_do_is_measured_every_day():
    eco = Ecosystem(town(*KINDS))
    eco.run_for(40)
    firms, last = eco.world.firms, eco.series.iloc[-1]
    assert last["firms_open"] == (firms.alive > 0).sum()
    assert (last["cash"], last["debt"]) == (firms.cash.sum(), firms.debt.sum())
    assert last["staff"] == pytest.approx(np.average(firms.staff, weights=firms.output))
    assert last["price_level"] == pytest.approx(np.average(firms.posted_price, weights=firms.output))
    assert last["know_how"] == pytest.approx(np.average(firms.know_how, weights=firms.output))
    assert last["readiness"] == firms.readiness.mean() > 0
    assert "cash" not in Ecosystem(TOWN).series
    with pytest.raises(InputError, match=r"metrics\.0\.kind: cash is measured only where finance is on"):
        Ecosystem(TOWN.with_({"metrics": ["cash"]}))


@pytest.mark.parametrize("kept", ["columns", "people_columns", "link_columns"])
def test_a_column_belongs_to_one_mechanism(kept):
    declared = Counter(name for kind in KINDS for name in getattr(find("mechanisms", kind), kept))
    assert {name for name, times in declared.items() if times > 1} <= SHARED


def test_no_mechanism_overwrites_a_column_of_another(monkeypatch):
    add = ecosim.state.Table.add

    def adds(table, name, values=0.0):
        assert name not in table.columns, f"{name} is there already; share it with ensure()"
        return add(table, name, values)

    monkeypatch.setattr(ecosim.state.Table, "add", adds)
    Ecosystem(town(*KINDS))


def test_with_all_on_those_turned_away_go_elsewhere():
    some, none = Ecosystem(town(*KINDS)), Ecosystem(town(*KINDS, **{"mechanisms.customers.redirect": 0.0}))
    assert (some.world.firms.switching_cost == 0.0).all()
    for eco in (some, none):
        eco.run_for(15)
    assert some.series["final_consumption"].sum() > none.series["final_consumption"].sum() * 1.001


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
    sector, role = np.repeat([0, 1, 2], 20_000), np.tile([0, 1], 30_000)
    stream = ecosim.rng.Streams(1)["spread"]
    firms = Firms(
        sector, ("Retail trade", "Mining", "Construction"), region=np.zeros(60_000, dtype=int), region_names=("Here",),
        x=sector, y=sector, size=sector, final_demand=sector, role=role,
    )  # fmt: skip
    drawn = Spread(median=10, sigma=0.5, by={"retail": 20, "Mining": 5}).draw(stream, firms)
    assert [np.median(drawn[sector == at]) for at in range(3)] == pytest.approx([20, 5, 10], rel=0.02)
    assert np.std(np.log(drawn[:20_000])) == pytest.approx(0.5, rel=0.02)
    by_role = Spread(median=10, by={"Supplier": 30, "Mining": 5}).draw(stream, firms)
    assert [set(by_role[role == at].tolist()) for at in range(2)] == [{10, 5}, {30, 5}]
    flat = Spread(law="uniform", low=2, high=4).draw(stream, firms)
    assert (flat.min() >= 2, flat.max() <= 4, flat.mean()) == (True, True, pytest.approx(3, rel=0.01))
    bell = Spread(law="normal", median=3, sigma=2).draw(stream, firms)
    assert (bell.mean(), bell.std()) == (pytest.approx(3, abs=0.03), pytest.approx(2, rel=0.02))
    with pytest.raises(InputError, match="no sector, region, profile or role is named 'Baking'"):
        Spread(median=1, by={"Baking": 2}).draw(stream, firms)


def test_what_belongs_to_whom_is_found_by_name():
    named = TOWN.with_({"shocks.outage.severity": 0.25})
    assert named.shocks[0].severity == 0.25


# A mechanism of your own that cannot work is refused, and told as yours where it fails -----------------------------


def own(**members):
    """A mechanism of one's own with these members beside its kind."""
    kind = members.pop("kind", "own")
    body = {"__module__": __name__, "__annotations__": {"kind": Literal[kind]}, "kind": kind, **members}
    return TOWN.with_({"mechanisms": [{"kind": type("Own", (Mechanism,), body)}]})


def nothing(self, world, rng):
    """Do nothing."""


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"check": lambda self, on: 5}, r"Own\.check\(\) returned 5; return None, or"),
        ({"check": lambda self, on: ""}, r"Own\.check\(\) returned ''"),
        ({"check": lambda self, on: True}, r"Own\.check\(\) returned True"),
        ({"check": lambda self, on: 1 / 0}, r"Own\.check\(\) failed: ZeroDivisionError: division by zero \(test_mech"),
        ({"prepare": lambda self, world, rng: {}["a"]}, r"Own\.prepare\(\) failed before the first day: KeyError: 'a'"),
        ({"lay_out": lambda self, world, rng: world.firms.add("output")}, r"Own\.lay_out\(\) .*: column 'output' is"),
        ({"evening": lambda self, world: None}, r"Own\.evening must be a method that takes \(world, rng\)"),
        ({"mornings": nothing}, r"Own\.mornings\(\) would never be called; did you mean morning\?"),
        ({"needs": "finance"}, r"Own\.needs is the text 'finance'; write needs = \('finance',\)"),
        ({"needs": (5,)}, r"Own\.needs is \(5,\); give a tuple of kinds"),
        ({"kind": "finance"}, r"Own calls itself 'finance', which is built in"),
    ],
)
def test_a_mechanism_of_your_own_that_cannot_work_is_refused(members, text):
    with pytest.raises(InputError, match=r"^mechanisms\.0\.kind: " + text):
        Ecosystem(own(**members))


def test_helpers_and_heirs_of_built_in_mechanisms_are_welcome():
    Ecosystem(own(_mornings=nothing, tally=nothing))
    heir = type("Heir", (find("mechanisms", "learning"),), {"__module__": __name__})
    assert "readiness" in Ecosystem(TOWN.with_({"mechanisms": [{"kind": heir}]})).world.firms


def test_what_fails_in_a_class_of_your_own_is_told_with_the_day():
    eco = Ecosystem(own(settle=lambda self, world, rng: 1 / (3 - world.day)))
    eco.run_for(3)
    with pytest.raises(InputError, match=r"mechanisms\.0\.kind: Own\.settle\(\) failed on day 3: ZeroDiv") as told:
        eco.run_for(1)
    assert isinstance(told.value.__cause__, ZeroDivisionError)

    class Flop(Shock):
        kind: Literal["flop"] = "flop"

        def apply(self, world, rng):
            world.sheet.scale("demand", np.full(3, 0.5))

    class Blind(Metric):
        kind: Literal["blind"] = "blind"

        def measure(self, world):
            raise RuntimeError("sees nothing")

    with pytest.raises(InputError, match=r"shocks\.0\.kind: Flop\.apply\(\) failed on day 0: demand was scaled by"):
        Ecosystem(TOWN.with_({"shocks": [{"kind": Flop}]})).run_for(1)
    with pytest.raises(InputError, match=r"metrics\.0\.kind: Blind\.measure\(\) .*: RuntimeError: sees nothing"):
        Ecosystem(TOWN.with_({"metrics": [{"kind": Blind}]}))


def test_a_fault_of_ours_stays_one(monkeypatch):
    monkeypatch.setattr(find("mechanisms", "learning"), "prepare", lambda self, world, rng: {}["a"])
    with pytest.raises(KeyError):
        Ecosystem(town("learning"))


def test_columns_are_not_overwritten_by_accident():
    world = Ecosystem(TOWN).world
    world.firms.add("mood", 1.0)
    world.links.add("mood", 1.0)
    for add, name in ((world.firms.add, "mood"), (world.links.add, "mood"), (world.links.add, "flow")):
        with pytest.raises(InputError, match=rf"column '{name}' is there already"):
            add(name, 2.0)
    assert world.firms.ensure("mood", 3.0)[0] == 1.0


@pytest.mark.parametrize(
    ("sides", "change", "text"),
    [
        (("firms", "moon"), None, "payment 'gift': 'moon' has no account; there are firms, households, bank"),
        (("firms", "outside"), (0, np.nan), "payment 'gift': nan in row 0; amounts are finite and at least 0"),
        (("firms", "outside"), (2, np.inf), "payment 'gift': inf in row 2"),
        (("firms", "outside"), (2, -1.0), "payment 'gift': -1 in row 2; .*swap payer and payee"),
        (("bank", "households"), None, r"payment 'gift': amounts of shape \(150,\); give one amount for each of the"),
        (("bank", "outside"), None, r"amounts of shape \(150,\); give one number"),
    ],
)
def test_payments_that_make_no_sense_are_refused(sides, change, text):
    world = Ecosystem(town("finance")).world
    amounts, cash = np.ones(150), world.firms.cash.copy()
    if change is not None:
        amounts[change[0]] = change[1]
    with pytest.raises(InputError, match=text):
        world.money.pay("gift", *sides, amounts)
    assert (world.firms.cash == cash).all()
    assert "gift" not in world.money.flows


def test_what_is_paid_is_received():
    money = Ecosystem(town("finance")).world.money
    with pytest.raises(InputError, match="'gift': 150 is paid and 300 received; both must be the same"):
        money.pay("gift", "firms", "firms", np.ones(150), np.full(150, 2.0))
    with pytest.raises(InputError, match="'gift': leave out what is received, as bank gets what firms pay"):
        money.pay("gift", "firms", "bank", np.ones(150), np.ones(150))
    with pytest.raises(InputError, match="amounts are finite"):
        money.pay("gift", "bank", "outside", -1.0)
    before = money.firms.cash.copy()
    change = np.linspace(-1, 1, 150)
    money.pay_either_way("gift", "firms", "outside", change)
    np.testing.assert_allclose(before - money.firms.cash, change, atol=1e-9)
    assert money.total() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("channel", "factors", "text"),
    [
        ("demand", np.full(150, -1.0), "finite factors of at least 0"),
        ("demand", np.full(150, np.nan), "finite factors of at least 0"),
        ("demand", np.full(150, np.inf), "finite factors of at least 0"),
        ("demand", np.ones(149), r"factors of shape \(149,\)"),
        ("demmand", np.ones(150), r"no channel 'demmand' on the sheet; did you mean 'demand'\?"),
        ("labour", np.ones(150), "labour is opened by workforce; add it to mechanisms"),
    ],
)
def test_the_sheet_takes_factors_only(channel, factors, text):
    sheet = Ecosystem(TOWN).world.sheet
    with pytest.raises(InputError, match=text):
        sheet.scale(channel, factors)


def test_what_an_economy_cannot_use_is_told_at_its_place():
    def refused(*parts, shocks=()):
        with pytest.raises(InputError) as told:
            Ecosystem(TOWN.with_({"mechanisms": list(parts), "shocks": list(shocks)}))
        return str(told.value)

    strange = {"median": 0.5, "by": {"Baking": 0.6}}
    text = refused("learning", {"kind": "finance", "late_payment": strange})
    assert text.startswith("mechanisms.1.late_payment.by: no sector, region, profile or role is named 'Baking'")
    text = refused("learning", "finance", {"kind": "recovery", "trust_by_region": {"Atlantis": 0.5}})
    assert text.startswith("mechanisms.2.trust_by_region: no region is named 'Atlantis'")
    text = refused("learning", {"kind": "finance", "wage_share": {"law": "uniform", "low": 0.5, "high": 1.0}})
    assert re.match(r"mechanisms\.1\.wage_share: with rent_share it is more than .* for [1-9]\d* of 150 firms", text)
    text = refused(shocks=[{"kind": "pulse", "channel": "labour"}])
    assert text.endswith("labour is opened by workforce; add it to mechanisms")
    text = refused(shocks=[{"kind": "pulse", "channel": "demnad"}])
    assert text.startswith("shocks.0.channel: nobody listens to 'demnad' in this scenario; did you mean 'demand'?")


def test_a_level_is_refused_with_the_reason():
    def refused(value):
        with pytest.raises(ScenarioError) as told:
            TOWN.with_({"mechanisms": [{"kind": "finance", "late_payment": value}]})
        return str(told.value)

    text = refused({"law": "uniform", "low": 0.9, "high": 0.1})
    assert text == "mechanisms.0.late_payment: a uniform law needs low and high, low not above high"
    for value in (np.nan, np.inf):
        assert "is not finite; give a number" in refused(value)
    assert "give a number or keys out of law" in refused("much")
    with pytest.raises(ScenarioError, match=r"finance is not on; add it: mechanisms\.0\.kind=finance \(or --set mec"):
        TOWN.with_({"mechanisms.finance.cash_days": 3})
    with pytest.raises(ScenarioError, match=r"finance is not on; add it: mechanisms\.1\.kind=finance$"):
        town("learning").with_({"mechanisms.finance.cash_days": 3})
