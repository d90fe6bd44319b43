"""Each structure is what its name says, and all of them fill the same slots by the same rules."""

import pickle
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecosim.blueprint import Firms, Slots
from ecosim.networks import GeneratedNetwork, Network, known_networks, network_named
from ecosim.networks.acyclic import Acyclic
from ecosim.networks.core_periphery import CorePeriphery
from ecosim.networks.hierarchy import Hierarchy
from ecosim.networks.local import Local
from ecosim.networks.modular import Modular
from ecosim.networks.nested import Nested
from ecosim.networks.random import Random
from ecosim.networks.reconstructed import Reconstructed
from ecosim.networks.rewired import Rewired
from ecosim.networks.ring import Ring
from ecosim.networks.scale_free import ScaleFree
from ecosim.networks.small_world import SmallWorld
from ecosim.networks.star import Star

CERTAIN = ["ring", "star"]
ORDERED = ["acyclic", "hierarchy"]  # these leave slots empty by their nature
DRAWN = [
    "core_periphery", "local", "modular", "nested", "random", "reconstructed", "rewired", "scale_free", "small_world",
]  # fmt: skip
KINDS = sorted(CERTAIN + ORDERED + DRAWN)


def some_firms(n: int, sectors: int = 1, seed: int = 0) -> Firms:
    rng = np.random.default_rng(seed)
    size = np.sort(rng.pareto(1.2, n) + 1)  # so that order of size is order of row
    return Firms(
        sector=rng.integers(0, sectors, n).astype(np.int32),
        sector_names=tuple(f"sector {s}" for s in range(sectors)),
        region=np.zeros(n, np.int32),
        region_names=("all",),
        x=rng.random(n) * 100,
        y=rng.random(n) * 100,
        size=size / max(size.mean(), 1e-9) if n else size,
        final_demand=np.ones(n),
        role=np.zeros(n, np.int8),
    )


def some_slots(n: int, k: int, sectors: int = 0, seed: int = 1) -> Slots:
    """k slots each; with sectors, each asks for the product of a random one."""
    product = np.random.default_rng(seed).integers(0, sectors, n * k) if sectors else np.full(n * k, -1)
    return Slots(np.arange(0, n * k + 1, k, dtype=np.int64), product.astype(np.int32), np.full(n * k, 0.5 / k))


def wired(net: Network, n: int = 200, k: int = 5, seed: int = 0) -> np.ndarray:
    """Suppliers of each firm, shape (n, k), where any firm may fill any slot."""
    return net.wire(some_firms(n), some_slots(n, k), np.random.default_rng(seed)).reshape(n, k)


def graph_of(suppliers: np.ndarray) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(suppliers)))
    graph.add_edges_from((int(s), i) for i, row in enumerate(suppliers) for s in row if s >= 0)
    return graph


def customers(suppliers: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(suppliers[suppliers >= 0], minlength=n)


def gini(values: np.ndarray) -> float:
    ranked = np.sort(values)
    return float(1 + (1 - 2 * (np.arange(len(ranked), 0, -1) @ ranked) / ranked.sum()) / len(ranked))


@st.composite
def economies(draw: st.DrawFn) -> tuple[Firms, Slots]:
    n, sectors = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    regime = draw(st.sampled_from(["any", "sectors", "mixed"]))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    ptr = np.append(0, np.cumsum(rng.integers(0, 8, n)))
    product = np.full(ptr[-1], -1)
    if regime != "any":
        product = rng.integers(0 if regime == "sectors" else -1, sectors, ptr[-1])
    return some_firms(n, sectors, seed), Slots(ptr, product.astype(np.int32), np.ones(ptr[-1]))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(economy=economies(), seed=st.integers(0, 100))
def test_every_structure_keeps_the_rules(kind: str, economy: tuple[Firms, Slots], seed: int) -> None:
    firms, slots = economy
    net = network_named(kind)()
    named = slots.product >= 0
    if kind in ORDERED and named.any() and not named.all():
        with pytest.raises(ValueError, match="either all name a product or none"):
            net.wire(firms, slots, np.random.default_rng(seed))
        return
    before = [slots.ptr.copy(), slots.product.copy(), slots.share.copy()]
    supplier = net.wire(firms, slots, np.random.default_rng(seed))
    assert supplier.shape == slots.product.shape
    assert supplier.dtype == np.int32
    assert all((a == b).all() for a, b in zip(before, [slots.ptr, slots.product, slots.share], strict=True))
    full = supplier >= 0
    assert supplier.min(initial=-1) >= -1
    assert supplier.max(initial=-1) < len(firms)
    assert (supplier != slots.buyer).all()
    assert (firms.sector[supplier[full & named]] == slots.product[full & named]).all()
    for i in range(len(firms)):
        mine = slice(slots.ptr[i], slots.ptr[i + 1])
        chosen = supplier[mine][full[mine]]
        assert len(set(chosen.tolist())) == len(chosen)
        if kind not in ORDERED:
            assert len(chosen) == _most_that_can_be_filled(firms, slots, i)
    again = net.wire(firms, slots, np.random.default_rng(seed))
    assert (again == supplier).all()


def _most_that_can_be_filled(firms: Firms, slots: Slots, i: int) -> int:
    """Slots of a product up to the number of its other firms; then the rest from whoever is left."""
    product = slots.product[slots.ptr[i] : slots.ptr[i + 1]]
    others = np.delete(np.arange(len(firms)), i)
    by_product = sum(min((product == s).sum(), (firms.sector[others] == s).sum()) for s in set(product) - {-1})
    return int(by_product + min((product == -1).sum(), len(others) - by_product))


@pytest.mark.parametrize("kind", KINDS)
def test_seed_matters_where_the_structure_is_drawn(kind: str) -> None:
    # nested draws only where a firm has fewer slots than there are levels
    one, other = (wired(network_named(kind)(), 60, 3, seed) for seed in (1, 2))
    assert (one == other).all() == (kind in CERTAIN)


@pytest.mark.parametrize("kind", KINDS)
def test_no_firms_no_links(kind: str) -> None:
    assert len(network_named(kind)().wire(some_firms(0), some_slots(0, 5), np.random.default_rng(0))) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_is_a_frozen_part_that_survives_being_written_down(kind: str) -> None:
    net = network_named(kind)(suppliers=3)
    assert network_named(kind).model_validate(net.model_dump()) == net
    assert network_named(kind).model_validate_json(net.model_dump_json()) == net
    assert pickle.loads(pickle.dumps(net)) == net
    with pytest.raises(ValidationError):
        net.suppliers = 4
    with pytest.raises(ValidationError):
        network_named(kind)(surplus=1)
    for name, field in type(net).model_fields.items():
        assert field.description, f"{kind}.{name} says nothing about itself"
        assert not field.is_required()


# --- each is what its name says ------------------------------------------------------------------------------------


def test_ring_is_the_exact_ring() -> None:
    n, k = 30, 4
    assert (wired(Ring(), n, k) == (np.arange(n)[:, None] - 1 - np.arange(k)) % n).all()


def test_ring_between_sectors_supplies_all_alike() -> None:
    n = 40
    sector = np.repeat([0, 1], n // 2).astype(np.int32)
    firms = some_firms(n)
    object.__setattr__(firms, "sector", sector)
    slots = Slots(np.arange(n + 1, dtype=np.int64), (1 - sector).astype(np.int32), np.ones(n))
    supplier = Ring().wire(firms, slots, np.random.default_rng(0))
    assert (supplier == np.concatenate([20 + (np.arange(20) - 1) % 20, (np.arange(20) - 1) % 20])).all()

    object.__setattr__(firms, "sector", np.repeat([0, 1], [10, 30]).astype(np.int32))
    slots = Slots(np.arange(n + 1, dtype=np.int64), 1 - firms.sector, np.ones(n))
    supplier = Ring().wire(firms, slots, np.random.default_rng(0))
    # The i-th of ten stands beside the middle one of the three that are as far round the circle.
    assert supplier[:10].tolist() == [10 + 3 * i for i in range(10)]
    assert supplier[10:].tolist() == [(i // 3 - 1) % 10 for i in range(30)]


@pytest.mark.parametrize("k", [1, 3])
def test_star_has_k_hubs_that_supply_all(k: int) -> None:
    n = 30
    suppliers = wired(Star(), n, k)
    assert (suppliers[k:] == np.arange(k)).all()
    for hub in range(k):
        assert set(suppliers[hub]) == set(range(k)) - {hub} | {k + hub}
    assert (customers(suppliers, n)[:k] == n - 1).all()


def test_acyclic_has_no_cycle_and_no_needless_gap() -> None:
    n, k = 80, 4
    suppliers = wired(Acyclic(), n, k)
    assert nx.is_directed_acyclic_graph(graph_of(suppliers))
    assert ((suppliers >= 0).sum(axis=1) == np.minimum(np.arange(n), k)).all()
    assert not nx.is_directed_acyclic_graph(graph_of(wired(Random(), n, k)))


@pytest.mark.parametrize("net", [Acyclic(), Hierarchy()])
def test_one_way_structures_have_no_cycle_across_sectors(net: Network) -> None:
    n, k, sectors = 300, 4, 6
    firms, slots = some_firms(n, sectors), some_slots(n, k, sectors)
    graph = graph_of(net.wire(firms, slots, np.random.default_rng(0)).reshape(n, k))
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.number_of_edges() > 0.75 * n * k
    if net.kind == "acyclic":
        assert sum(degree == 0 for _, degree in graph.in_degree()) <= sectors


def test_hierarchy_reaches_past_tiers_without_firms_in_a_small_sector() -> None:
    n, k, sectors = 90, 3, 30
    firms, slots = some_firms(n, sectors), some_slots(n, k, sectors)
    supplier = Hierarchy().wire(firms, slots, np.random.default_rng(0))
    members = np.bincount(firms.sector, minlength=sectors)
    rank = np.array([(firms.sector[:i] == firms.sector[i]).sum() for i in range(n)])
    top = Hierarchy().tier_of(rank, members[firms.sector]) == 0
    served = {(int(b), int(p)) for b, p in zip(slots.buyer[supplier >= 0], slots.product[supplier >= 0], strict=True)}
    asked = {(int(b), int(p)) for b, p in zip(slots.buyer, slots.product, strict=True) if not top[b] and members[p] > 0}
    assert served == asked


def test_hierarchy_has_exact_tiers() -> None:
    n, k = 150, 4
    net = Hierarchy(tiers=4, widening=2)
    suppliers = wired(net, n, k)
    tier = net.tier_of(np.arange(n), np.full(n, n))
    assert np.bincount(tier).tolist() == [10, 20, 40, 80]
    assert (suppliers[:10] == -1).all()
    assert (suppliers[10:] >= 0).all()
    assert (tier[suppliers[10:]] == tier[10:, None] - 1).all()
    tall = wired(Hierarchy(tiers=3, widening=10), 111, 4)  # one firm on top, ten below: they have one supplier each
    assert ((tall >= 0).sum(axis=1) == [0] + [1] * 10 + [4] * 100).all()


@pytest.mark.parametrize("net", [Acyclic(), Hierarchy()])
def test_one_way_structures_begin_with_the_smallest_firms(net: Network) -> None:
    n, k = 100, 4
    firms, slots = some_firms(n), some_slots(n, k)
    np.copyto(firms.size, firms.size[::-1].copy())
    empty = (net.wire(firms, slots, np.random.default_rng(0)).reshape(n, k) == -1).all(axis=1)
    assert 0 < empty.sum() < n / 2
    assert firms.size[empty].max() < firms.size[~empty].min()


def test_small_world_without_shortcuts_is_the_lattice() -> None:
    n = 30
    lattice = (np.arange(n)[:, None] + np.array([-1, 1, -2, 2])) % n
    assert (wired(SmallWorld(rewiring=0), n, 4) == lattice).all()


def test_small_world_has_clusters_like_a_lattice_and_paths_like_a_random_graph() -> None:
    n, k = 1000, 6
    lattice = (np.arange(n)[:, None] + np.array([-1, 1, -2, 2, -3, 3])) % n
    suppliers = wired(SmallWorld(rewiring=0.1), n, k)
    assert (suppliers != lattice).mean() == pytest.approx(0.1, abs=0.015)
    knit, loose = (nx.average_clustering(graph_of(s)) for s in (suppliers, wired(Random(), n, k)))
    assert knit > 0.6 * nx.average_clustering(graph_of(lattice)) > 10 * loose
    steps = np.mean(list(nx.single_source_shortest_path_length(graph_of(suppliers), 0).values()))
    assert steps < 0.15 * np.mean(list(nx.single_source_shortest_path_length(graph_of(lattice), 0).values()))


def test_scale_free_has_hubs_and_random_has_none() -> None:
    n, k = 5000, 5
    even, liked = (customers(wired(net, n, k), n) for net in (Random(), ScaleFree()))
    assert even.max() < 20
    assert liked.max() > 5 * n**0.5
    assert gini(liked) > 1.8 * gini(even)
    # Stronger preference makes bigger hubs; none leaves only the head start of the old.
    largest = [customers(wired(ScaleFree(exponent=e), n, k), n).max() for e in (0, 0.5, 1, 1.3)]
    assert largest == sorted(largest)
    assert largest[0] < 70


def test_scale_free_with_linear_preference_has_a_power_law_tail() -> None:
    n, k = 20_000, 5
    degree = customers(wired(ScaleFree(exponent=1), n, k), n) + k
    tail = degree[degree >= 20]
    exponent = 1 + len(tail) / np.log(tail / 19.5).sum()  # Hill's estimate for whole numbers
    assert 2.6 < exponent < 3.4  # 3 for links that come with as many open ends on either side


def test_modular_mixes_as_much_as_it_is_told() -> None:
    n, k, modules = 1000, 5, 10
    for mixing in (0, 0.1, 0.5, 1):
        suppliers = wired(Modular(modules=modules, mixing=mixing), n, k)
        out = suppliers // 100 != np.arange(n)[:, None] // 100
        assert out.mean() == pytest.approx(mixing, abs=0.03)
    assert not (wired(Modular(modules=modules, mixing=0), n, k) // 100 != np.arange(n)[:, None] // 100).any()


def test_modular_holds_across_sectors() -> None:
    n, k, sectors = 2000, 4, 3
    firms, slots = some_firms(n, sectors), some_slots(n, k, sectors)
    supplier = Modular(modules=5, mixing=0.1).wire(firms, slots, np.random.default_rng(0))
    module = np.empty(n, np.int64)
    for s in range(sectors):
        rows = np.flatnonzero(firms.sector == s)
        module[rows] = np.arange(len(rows)) * 5 // len(rows)
    assert (module[supplier] != module[slots.buyer]).mean() == pytest.approx(0.1, abs=0.02)


def test_modules_too_small_for_their_slots_are_helped_out() -> None:
    suppliers = wired(Modular(modules=20, mixing=0), 60, 5)
    own = suppliers // 3 == np.arange(60)[:, None] // 3
    assert (own.sum(axis=1) == 2).all()  # both of the other members, and three from elsewhere
    assert (suppliers >= 0).all()


def test_periphery_buys_from_core_only() -> None:
    n, k = 500, 5
    suppliers = wired(CorePeriphery(core=0.1, outward=0.2), n, k)
    assert (suppliers[50:] < 50).all()
    assert (suppliers[:50] >= 50).mean() == pytest.approx(0.2, abs=0.06)
    assert (wired(CorePeriphery(core=0.3, outward=0), n, k) < 150).all()
    assert set(wired(CorePeriphery(core=0.01, outward=0), 100, 3).ravel().tolist()) > {0}  # a core of one is helped out


def test_local_is_near_as_the_kernel_says() -> None:
    n, k, reach = 1500, 4, 8.0
    firms, slots = some_firms(n), some_slots(n, k)
    firms.x[:] = 100 * (firms.x / 100) ** 3  # crowded in the west
    buyer = slots.buyer
    apart = np.hypot(firms.x[:, None] - firms.x, firms.y[:, None] - firms.y)
    near, far = (
        apart[buyer, net.wire(firms, slots, np.random.default_rng(0))] for net in (Local(reach=reach), Random())
    )
    assert near.mean() < 0.35 * far.mean()
    weight = np.exp(-apart / reach) * ~np.eye(n, dtype=bool)
    expected = ((weight * apart).sum(axis=1) / weight.sum(axis=1)).mean()
    assert near.mean() == pytest.approx(expected, rel=0.03)
    within = ((weight * (apart < reach)).sum(axis=1) / weight.sum(axis=1)).mean()
    assert (near < reach).mean() == pytest.approx(within, abs=0.02)


def test_local_finds_suppliers_for_a_lonely_buyer_and_on_one_spot() -> None:
    firms = some_firms(50)
    firms.x[0], firms.y[0] = 1e5, 1e5
    assert (Local(reach=0.01).wire(firms, some_slots(50, 5), np.random.default_rng(0)) >= 0).all()
    firms.x[:], firms.y[:] = 3.0, 3.0
    counts = customers(Local().wire(firms, some_slots(50, 5), np.random.default_rng(0)), 50)
    assert counts.max() < 20


def test_reconstructed_gives_customers_in_proportion_to_size() -> None:
    n, k = 4000, 2
    firms, slots = some_firms(n), some_slots(n, k)
    np.copyto(firms.size, np.random.default_rng(1).lognormal(0, 1, n))
    counts = customers(Reconstructed().wire(firms, slots, np.random.default_rng(0)), n)
    group = np.argsort(firms.size)[-400:]
    assert counts[group].sum() / counts.sum() == pytest.approx(firms.size[group].sum() / firms.size.sum(), rel=0.06)
    flat = customers(Reconstructed(exponent=0).wire(firms, slots, np.random.default_rng(0)), n)
    assert flat[group].sum() / flat.sum() == pytest.approx(0.1, abs=0.02)


def test_nested_overlaps_more_than_chance_and_more_than_its_degrees_imply() -> None:
    n = 200
    nested, null, even = (_overlaps(wired(net, n)) for net in (Nested(), Rewired(of=Nested()), Random()))
    assert nested[0] > 0.97  # exactly 1 but for firms that would have to supply themselves
    assert nested[0] > null[0] + 0.2 > even[0] + 0.4
    assert nested[1] > 1.5 * even[1]
    assert nested[1] > 1.05 * null[1]
    assert _overlaps(wired(Nested(nestedness=0), n))[1] == pytest.approx(even[1], rel=0.1)


def _overlaps(suppliers: np.ndarray) -> tuple[float, float]:
    """Mean overlap of customers of suppliers that share one, and NODF of the suppliers (Almeida-Neto et al. 2008)."""
    n = len(suppliers)
    buys = np.zeros((n, n))
    np.put_along_axis(buys, suppliers.astype(np.int64), 1.0, axis=1)
    shared, count = buys.T @ buys, buys.sum(axis=0)
    overlap = shared / np.maximum(np.minimum.outer(count, count), 1)
    pairs = np.triu_indices(n, 1)
    filled = np.where(count[pairs[0]] != count[pairs[1]], overlap[pairs], 0)
    return float(overlap[pairs][shared[pairs] > 0].mean()), float(filled.mean())


@pytest.mark.parametrize("sectors", [0, 4])
@pytest.mark.parametrize("inner", [ScaleFree(), Modular(), Ring(), Hierarchy()], ids=lambda net: net.kind)
def test_rewired_keeps_every_degree_and_loses_the_pattern(inner: Network, sectors: int) -> None:
    n, k = 400, 5
    firms, slots = some_firms(n, max(sectors, 1)), some_slots(n, k, sectors)
    before = inner.wire(firms, slots, np.random.default_rng(0))
    after = Rewired(of=inner).wire(firms, slots, np.random.default_rng(0))
    assert ((before >= 0) == (after >= 0)).all()
    for product in np.unique(slots.product):
        of_it = (slots.product == product) & (before >= 0)
        assert (customers(before[of_it], n) == customers(after[of_it], n)).all()
    assert (before != after)[before >= 0].mean() > 0.8
    assert (Rewired(of=inner, swaps=0).wire(firms, slots, np.random.default_rng(0)) == before).all()


def test_rewiring_undoes_modules() -> None:
    n = 1000
    out = wired(Rewired(of=Modular(mixing=0)), n) // 100 != np.arange(n)[:, None] // 100
    assert out.mean() == pytest.approx(0.9, abs=0.02)


# --- names and classes of one's own --------------------------------------------------------------------------------


class Pairs(GeneratedNetwork):
    """Firm 2i+1 buys from 2i."""

    step: int = 1
    """Distance between the partners."""

    def generate(self, n: int, rng: np.random.Generator) -> nx.DiGraph:
        graph = nx.DiGraph()
        graph.add_nodes_from(range(n))
        graph.add_edges_from((i, i + self.step) for i in range(0, n - self.step, 2))
        return graph


class Crowd(GeneratedNetwork):
    """Everybody supplies everybody."""

    def generate(self, n: int, rng: np.random.Generator) -> nx.DiGraph:
        return nx.complete_graph(n, nx.DiGraph)


def test_known_networks_have_one_line_each() -> None:
    known = known_networks()
    assert set(known) >= set(KINDS)
    assert all(line.endswith((".", ";")) or len(line) > 20 for line in known.values())
    assert "wiring" not in known


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"did you mean small_world\?.*known kinds: acyclic"):
        network_named("smal_world")
    with pytest.raises(ValueError, match="known kinds"):
        network_named("wiring")
    with pytest.raises(ValueError, match="cannot be imported"):
        network_named("nowhere.to_be:Found")
    with pytest.raises(ValueError, match="is not a network"):
        network_named("collections:OrderedDict")


def test_a_class_of_ones_own_works_by_its_path() -> None:
    path = f"{__name__}:Pairs"
    assert network_named(path) is Pairs
    assert Pairs().kind == path
    assert Pairs.model_validate({"kind": path, "step": 3}).step == 3
    assert Pairs.model_validate(Pairs(step=3).model_dump()) == Pairs(step=3)
    suppliers = wired(Pairs(), 6, 2)
    assert suppliers.tolist() == [[-1, -1], [0, -1], [-1, -1], [2, -1], [-1, -1], [4, -1]]


def test_a_generated_graph_must_fit() -> None:
    rng = np.random.default_rng(0)
    assert (np.sort(wired(Crowd(), 4, 3)) == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]).all()
    with pytest.raises(ValueError, match=r"has 3 suppliers in the graph and 2 slots"):
        wired(Crowd(), 4, 2)
    with pytest.raises(ValueError, match="economy without a table"):
        Crowd().wire(some_firms(4, 2), some_slots(4, 3, 2), rng)
    with pytest.raises(ValueError, match="supplies itself"):
        wired(Pairs(step=0), 4, 2)
    with pytest.raises(ValueError, match="nodes must be the firms"):
        wired(Pairs(step=-2), 4, 2)


def test_rewired_finds_what_it_rewires() -> None:
    net = Rewired.model_validate({"of": {"kind": "small_world", "suppliers": 3, "rewiring": 0.2}})
    assert net.of == SmallWorld(suppliers=3, rewiring=0.2)
    assert net.suppliers == 3
    assert net.model_dump()["of"]["rewiring"] == 0.2
    assert Rewired.model_validate({"of": "ring", "suppliers": 7}).of == Ring(suppliers=7)
    assert isinstance(Rewired.model_validate({"of": {"kind": f"{__name__}:Pairs"}}).of, Pairs)
    both = Rewired(suppliers=4, of=Ring(suppliers=3))  # the outer number counts, so that it can be changed alone
    assert (both.suppliers, both.of) == (4, Ring(suppliers=4))
    assert Rewired.model_validate(both.model_dump()) == both
    with pytest.raises(ValidationError, match="did you mean ring"):
        Rewired.model_validate({"of": {"kind": "rin"}})
    with pytest.raises(ValidationError):
        Rewired.model_validate({"of": 3})


def test_naming_a_network_does_not_load_the_compiler() -> None:
    code = "import sys; from ecosim.networks import network_named as f; f('ring')(); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
