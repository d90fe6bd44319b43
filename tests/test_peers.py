"""The peers of the speed comparison live the same days as ecosim: otherwise their times would say nothing."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

PEERS = Path(__file__).parents[1] / "benchmarks" / "peers"
EXACT = 1e-9
DAYS = 30


@pytest.mark.parametrize("peer", ["mesa_objects", "mesa_typical"])
def test_mesa_models_live_the_same_days(monkeypatch: pytest.MonkeyPatch, peer: str) -> None:
    monkeypatch.syspath_prepend(PEERS)  # the peers are scripts that import each other by name
    engine, objects = import_module("ecosim_engine"), import_module(peer)
    economy = engine.export(200)
    expected = np.array(engine.start(economy, DAYS)())
    totals = np.array(objects.start(economy, DAYS)())
    assert totals == pytest.approx(expected, rel=EXACT, abs=0)
    assert expected.min() < 0.9 * economy.output.sum(), "the damage never spread; the comparison would be of rest only"


def test_arrays_survive_the_file_that_peers_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(PEERS)
    economy = import_module("ecosim_engine").export(200)
    economy.save(tmp_path / "economy.npz")
    again = type(economy).load(tmp_path / "economy.npz")
    for name, there in again._asdict().items():
        np.testing.assert_array_equal(there, getattr(economy, name), err_msg=name)
    assert (np.bincount(again.group) >= 1).all()
    assert again.group[-1] + 1 == len(np.unique(again.buyer.astype(np.int64) * 2 + again.product))
