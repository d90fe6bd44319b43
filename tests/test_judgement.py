"""Judgement: prospect theory against numbers, the rule in Python against its compiled twin, herds that calm down."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import ecosim
from ecosim.agents import Firm
from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.mechanisms.judgement import OPTIONS, Judgement, value, weight
from ecosim.model import Ecosystem
from ecosim.who import Who

OUTAGE = {"kind": "outage", "when": 3, "who": {"share": 0.3}, "severity": 0.8, "recovery": {"days": 20}}


def economy(*others: str, firms: int = 90, shocks: Any = (OUTAGE,), agents: Any = None, **level: Any) -> Ecosystem:
    return Ecosystem(
        Scenario(
            days=800,
            economy={"kind": "table", "firms": firms, "headroom": 0.2},
            mechanisms=[{"kind": kind} for kind in ("finance", "autonomy", *others)] + [{"kind": "judgement", **level}],
            shocks=list(shocks),
        ),
        agents=agents,
    )


def done(eco: Ecosystem, start: str = "invests") -> list[tuple[int, str, int]]:
    return [
        (event["day"], event["event"], row)
        for event in eco.world.events
        if event["event"].startswith(start)
        for row in event["rows"].tolist()
    ]


# --- the sums ---------------------------------------------------------------------------------------------------------


def test_weights_are_those_of_prospect_theory() -> None:
    for gamma in (0.61, 0.69):
        assert float(weight(0.0, gamma)) == 0.0
        assert float(weight(1.0, gamma)) == 1.0
        p = 0.2
        by_hand = p**gamma / (p**gamma + (1 - p) ** gamma) ** (1 / gamma)
        assert float(weight(p, gamma)) == pytest.approx(by_hand, rel=1e-12)
        assert float(weight(0.01, gamma)) > 0.01
        assert float(weight(0.9, gamma)) < 0.9
    assert float(weight(0.5, 0.61)) == pytest.approx(0.4206, abs=1e-4)
    assert float(value(100.0)) == pytest.approx(math.exp(0.88 * math.log(100.0)))


def test_one_decision_by_hand() -> None:
    eco = economy()
    eco.run_for(6)
    part, agent = eco.world.mechanisms["judgement"], eco.agent(int(np.argmax(eco.world.firms.fear)))
    row = agent.unique_id - 1
    firms = eco.world.firms
    firms.risk[row], firms.shaken[row] = 0.3, 1.0
    dread = 1.0 + 1.25 * (1.0 - 0.3)

    def w(p: float) -> float:
        return float(p**0.69 / (p**0.69 + (1.0 - p) ** 0.69) ** (1.0 / 0.69))

    stake = 15.0 * agent.output * agent.value_added_share
    worth = dread * (w(0.3) - w(0.02)) * (stake**0.88 - (0.8 * stake) ** 0.88)
    assert part._worth(firms.columns, np.array([row]))["plan"][0] == pytest.approx(worth, rel=1e-12)
    bearable = worth ** (1.0 / 0.88)
    assert part.invest(agent, {"plan": 0.999 * bearable}) == "plan"
    assert part.invest(agent, {"plan": 1.001 * bearable}) is None
    assert part.invest(agent, {}) is None


def test_fear_remembers_the_worst_and_fades() -> None:
    eco = economy(memory_days=50.0)
    firms = eco.world.firms
    fear = np.zeros(firms.rows)
    for _ in range(60):
        eco.step()
        usual = np.minimum(firms.output, firms.demand)
        short = np.where(usual > 0, 1.0 - firms.production / np.where(usual > 0, usual, 1.0), 0.0)
        fear = np.maximum(fear * math.exp(-1.0 / 50.0), short)
        fear[fear < 1e-6] = 0.0
        assert firms.fear == pytest.approx(fear)
    assert firms.fear.max() > 0.2


# --- rest -------------------------------------------------------------------------------------------------------------


def test_an_undisturbed_economy_stays_exactly_at_rest() -> None:
    eco = economy(shocks=())
    cash = eco.world.firms.cash.copy()
    eco.run_for(365)
    firms = eco.world.firms
    assert np.array_equal(firms.production, firms.output)
    assert firms.cash == pytest.approx(cash, rel=1e-9)
    assert not eco.world.events
    assert np.all(firms.risk == 0.02)


def test_buffers_come_with_fear_and_go_with_it() -> None:
    eco = economy(memory_days=40.0, herding=2.0)
    firms = eco.world.firms
    usual, target = firms.inventory_days.copy(), firms.cash_target.copy()
    eco.run_for(100)
    held = firms.holds_buffer.copy()
    assert held.any()
    assert firms.inventory_days == pytest.approx(usual + 5.0 * held)
    assert firms.holds_reserve.any()
    costs = firms.output - firms.usual_profit
    assert firms.cash_target == pytest.approx(target + 10.0 * costs * firms.holds_reserve)
    eco.run_for(600)
    assert not firms.holds_buffer.any()
    assert firms.inventory_days == pytest.approx(usual)
    assert firms.cash_target == pytest.approx(target)
    assert done(eco, "gives up")


# --- the rule and its twin --------------------------------------------------------------------------------------------


class Plain(Firm):
    """Decides by the rule in Python."""

    def invest(self, options: Any) -> Any:
        return super().invest(options)


def test_the_rule_in_python_decides_as_the_compiled_path_for_every_firm() -> None:
    level = {"review_days": 10, "risk_tolerance": {"law": "uniform", "low": 0.0, "high": 1.0}, "herding": 0.34}
    eco, plain = economy("sourcing", **level), economy("sourcing", agents={Plain: Who()}, **level)
    for each in (eco, plain):
        each.run_for(80)
    made = done(eco)
    assert made == done(plain)
    assert len({event for _, event, _ in made}) >= 3
    assert len(made) > 50
    for name in ("cash", "production", *(f"holds_{option}" for option in OPTIONS)):
        assert np.array_equal(getattr(eco.world.firms, name), getattr(plain.world.firms, name)), name


class Miser(ecosim.SMB):
    """Never invests."""

    def invest(self, options: Any) -> None:
        self.saw = tuple(options)
        assert all(cost >= 0 for cost in options.values())


class Dreamer(ecosim.SMB):
    """Wants what is not on offer."""

    def invest(self, options: Any) -> str:
        return "a yacht"


def test_firms_can_decide_by_themselves_and_only_among_what_is_on_offer() -> None:
    eco = economy(agents={Miser: Who(share=0.5)})
    eco.run_for(120)
    own = set(eco.world.choices.rows("invest"))
    assert done(eco)
    assert not own & {row for _, _, row in done(eco)}
    seen = {option for row in own for option in getattr(eco.agent(row), "saw", ())}
    assert "buffer" in seen
    assert not seen & {"automation", "plan", "second_source"}  # what they work through is off
    dreaming = economy(agents={Dreamer: Who()})
    with pytest.raises(
        InputError, match=r"Dreamer.invest\(\) of .* returned 'a yacht'; return one of reserve, or None"
    ):
        dreaming.run_for(120)


class Cheat(ecosim.SMB):
    """Changes what it was given, and answers by it."""

    answer: Any = "a yacht"

    def invest(self, options: Any) -> Any:
        for name in OPTIONS:
            options[name] = 0.0
        options["a yacht"] = 0.0
        return self.answer


class Sly(Cheat):
    """Takes an option of the model that was not on offer."""

    answer = "automation"


class Muddled(Cheat):
    """Answers with a list inside, which is no key."""

    answer = ("buffer", ["buffer"])


@pytest.mark.parametrize("cls", [Cheat, Sly, Muddled])
def test_what_is_on_offer_cannot_be_changed_by_who_is_asked(cls: Any) -> None:
    with pytest.raises(InputError, match=rf"{cls.__name__}\.invest\(\) of .* returned .*; return one of reserve, or N"):
        economy(agents={cls: Who()}).run_for(120)


def test_a_plan_is_invested_in_where_continuity_is_on() -> None:
    eco = economy("continuity", review_days=10)
    before = eco.world.firms.plan_quality.copy()
    eco.run_for(200)
    firms = eco.world.firms
    assert firms.holds_plan.any()
    assert firms.plan_quality == pytest.approx(np.minimum(before + 0.2 * firms.holds_plan, 1.0))
    eco.run_for(500)
    assert (firms.plan_quality >= before).all()  # plans stay


# --- behaviour --------------------------------------------------------------------------------------------------------


def test_who_minds_losses_less_invests_less() -> None:
    steps = []
    for tolerance in (0.0, 1.0):
        eco = economy(risk_tolerance=tolerance, herding=2.0, shocks=({**OUTAGE, "severity": 0.4},))
        eco.run_for(200)
        steps.append(len(done(eco)))
    assert steps[0] > 1.2 * steps[1] > 0


def test_herds_follow_without_a_sum_of_their_own() -> None:
    lone, herd = economy(herding=2.0, talk=0.0), economy(herding=0.2, talk=0.0)
    for eco in (lone, herd):
        eco.run_for(365)
    assert len({row for _, _, row in done(herd)}) > 1.3 * len({row for _, _, row in done(lone)})


def test_money_is_conserved_and_only_spare_cash_is_spent(monkeypatch: Any) -> None:
    eco = economy(reserve_share=0.8, review_days=5)
    firms, money, spent = eco.world.firms, eco.world.money, []
    assert money is not None
    pay = money.pay

    def watched(item: str, payer: str, payee: str, amounts: Any, *received: Any) -> None:
        before = firms.cash.copy()
        pay(item, payer, payee, amounts, *received)
        if item == "investment":
            paid = before - firms.cash
            spent.append(paid.sum())
            assert np.all(paid >= 0)
            assert np.all(firms.cash[paid > 0] >= 0.8 * firms.cash_target[paid > 0] - 1e-6)

    monkeypatch.setattr(money, "pay", watched)
    eco.run_for(60)
    assert sum(spent) > 0
    assert money.flows["investment"][:2].sum() == pytest.approx(-sum(spent))
    assert abs(money.total()) < 1e-9 * firms.cash.sum()


def test_a_second_source_shortens_onboarding_and_a_new_owner_starts_afresh() -> None:
    eco = economy("sourcing")
    eco.run_for(2)
    part, firms, rows = eco.world.mechanisms["judgement"], eco.world.firms, np.array([4, 8])
    target = firms.cash_target.copy()
    for name in ("second_source", "reserve"):
        part._change(eco.world, rows, name, np.ones(2))
    assert np.all(firms.onboarding_days[rows] == 0.25 * 14.0)
    firms.fear[rows] = 0.5
    firms.ensure("entered_on", -1.0)[8] = eco.day + 1
    firms.alive[8] = 1.0
    eco.step()
    assert firms.onboarding_days[4] == 3.5
    assert firms.onboarding_days[8] == 14.0
    assert firms.cash_target[8] == pytest.approx(target[8])
    assert firms.fear[8] == 0.0 < firms.fear[4]


def test_a_saved_run_continues_to_the_bit(tmp_path: Any) -> None:
    eco = economy(review_days=10)
    eco.run_for(25)
    eco.save(tmp_path / "run.npz")
    again = Ecosystem.restore(tmp_path / "run.npz")
    for each in (eco, again):
        each.run_for(40)
    assert done(eco) == done(again)
    for name, column in eco.world.firms.columns.items():
        assert np.array_equal(column, again.world.firms.columns[name]), name


def test_judgement_needs_money_and_levels_in_range() -> None:
    with pytest.raises(InputError, match="judgement means nothing without finance"):
        Ecosystem(Scenario(economy={"kind": "uniform", "firms": 20}, mechanisms=[{"kind": "judgement"}]))
    with pytest.raises(ValidationError, match="give 0 to 1"):
        Judgement(risk_tolerance=1.5)
    with pytest.raises(ValidationError, match="out of range"):
        Judgement(review_days=0)
