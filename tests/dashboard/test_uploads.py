"""Files of people who are not trusted: limits, no code, no other files, and errors that say where."""

import base64
import random
from contextlib import suppress

import pytest

from dashboards import living, uploads, worlds
from dashboards.worlds import Choice
from ecosim import InputError

YAML = b"""name: village
days: 40
economy: {kind: uniform, firms: 40}
network: {kind: ring}
shocks: [{kind: outage, name: fire, when: 5, severity: 0.5, who: {share: 0.2}}]
"""
FIRMS = b"firm,sector,final_demand,region\nMill,Flour,10,North\nBakery,Bread,90,North\nInn,Food,60,South\n"
LINKS = b"supplier,client,flow\nMill,Bakery,30\nBakery,Inn,20\n"


def test_a_scenario_can_be_brought():
    own = uploads.read_yaml(YAML, "C:\\fakepath\\village.yaml")
    assert own.title == "village.yaml"
    answer = living.answer(Choice(ecosystem=own.key, shock="given", runs=2), own)
    assert (answer.firms, answer.days, answer.title) == (40, 40, "village")
    assert ("fire", 5) in [(event.label, event.day) for event in answer.events]


def test_a_network_can_be_brought_and_struck():
    own = uploads.read_csv(FIRMS, LINKS)
    choice = Choice(ecosystem=own.key, who="region", severity=100.0, stock=3.0, runs=2)
    answer = living.answer(choice, own)
    assert answer.firms == 3
    assert answer.lost.mean() > 0
    assert worlds.first_region(own.scenario) == "North"
    assert living.told(choice, own, 0, 2).firm == "Inn"
    assert living.scene(choice, own, 0, "sector").nodes == 3


def test_the_same_contents_have_the_same_key():
    assert uploads.read_yaml(YAML, "a.yaml") == uploads.read_yaml(YAML, "b.yaml")
    assert uploads.read_yaml(YAML, "a.yaml") != uploads.read_yaml(YAML + b"seed: 2\n", "a.yaml")
    Choice.from_query({"ecosystem": uploads.read_yaml(YAML, "a.yaml").key})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"economy: {kind: os:system}", "bad.yaml:1"),
        (b"mechanisms: [{kind: 'antigravity:main'}]", "bad.yaml:1"),
        (b"economy: {kind: uniform, agents: [{type: 'os:system'}]}", "would run code"),
        (b"days: 5\neconomy: {kind: uniform, frims: 40}", "bad.yaml:2"),
        (b"economy: {kind: uniform}\nnetwork: {kind: imported, firms: /etc/passwd, links: /x}\n", "names a file"),
        (b"economy: {kind: given}\nnetwork: {kind: imported, firms: ../../x.csv, links: y.csv}\n", "names a file"),
        (b"economy: {kind: given}\nnetwork: {kind: imported, graphml: /etc/x}\n", "names a file"),
        (b"economy: {kind: given}\nnetwork: {kind: rewired, of: {kind: imported, firms: /x, links: y}}", "names"),
        (b"economy: {kind: uniform}\nshocks: [{kind: outage, when: {replay: /etc/passwd}}]\n", "names a file"),
        (b"economy: {kind: uniform, firms: 5000000}\n", "this server"),
        (b"economy: {kind: uniform, firms: 5000}\nnetwork: {kind: random, suppliers: 900}\n", "links"),
        (b"days: 90000\neconomy: {kind: table, firms: 5000}\n", "firm-days"),
        (b"{{{{", "bad.yaml:1"),
        (b"- 1\n- 2", "a list"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: \0", "binary"),
        (b"   \n", "empty"),
        (b"[" * 100_000, "bad.yaml"),
        (b"x" * (uploads.MOST_YAML + 1), "more than 1 MB"),
    ],
)  # fmt: skip
def test_a_bad_scenario_is_refused_with_its_place(text, told):
    with pytest.raises(InputError) as refused:
        uploads.read_yaml(text, "../bad.yaml")
    assert told in str(refused.value)
    assert "../" not in str(refused.value).partition(":")[0]


def test_aliases_that_multiply_are_refused():
    bomb = b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
        b"%c: &%c [%s]\n" % (97 + at, 97 + at, b",".join([b"*%c" % (96 + at)] * 9)) for at in range(1, 9)
    )
    with pytest.raises(InputError):
        uploads.read_yaml(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    ("firms", "links", "told"),
    [
        (FIRMS.replace(b"90", b"many"), LINKS, "firms.csv:3"),
        (FIRMS, LINKS + b"Mill,Nobody,3\n", "links.csv:4"),
        (FIRMS, LINKS.replace(b"30", b"-30"), "links.csv:2"),
        (b"firm;sector;final_demand\na;b;1\n", LINKS, "semicolons"),
        (b"", LINKS, "empty"),
        (b"\0\1\2", LINKS, "not text"),
        (FIRMS + b"x" * uploads.MOST_CSV, LINKS, "more than 4 MB"),
        (b"firm,sector,final_demand\n" + b"a,b,1\n" * 10_001, LINKS, "at most 10,000"),
        (b"," * 500_000 + b"\n", LINKS, "firms.csv:1: 500,001 columns; at most 100"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(firms, links, told):
    with pytest.raises(InputError) as refused:
        uploads.read_csv(firms, links)
    assert told in str(refused.value)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_in_a_file_nothing_breaks(seed):
    luck = random.Random(seed)
    text = bytearray(YAML if seed % 2 else FIRMS)
    for _ in range(luck.randint(1, 12)):
        text[luck.randrange(len(text))] = luck.randrange(256)
    with suppress(InputError):  # anything else fails
        if seed % 2:
            uploads.read_yaml(bytes(text), "odd.yaml")
        else:
            uploads.read_csv(bytes(text), LINKS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.csv", "y.csv"),
        ("a\x00b\u202e.yaml", "ab.yaml"),
        ("..", "your file"),
        ("", "your file"),
        ("n" * 500, "n" * uploads.LONGEST_NAME),
    ],
)
def test_a_name_shows_no_folders(name, shown):
    assert uploads.plain_name(name) == shown


def part(raw, at=0, last=True, number="1"):
    return {"id": number, "name": "x.csv", "at": at, "data": base64.b64encode(raw).decode(), "last": last}


def test_a_file_arrives_in_parts():
    arriving = uploads.Arriving(10)
    assert arriving.take(part(b"abc", last=False)) is None
    assert arriving.take(part(b"def", at=3)) == ("x.csv", b"abcdef")
    assert arriving.take(part(b"again", number="2")) == ("x.csv", b"again")


def test_more_than_may_be_sent_is_refused_while_it_arrives():
    arriving = uploads.Arriving(10)
    arriving.take(part(b"12345678", last=False))
    with pytest.raises(InputError, match="more than"):
        arriving.take(part(b"90123", at=8, last=False))
    assert not arriving.raw
    with pytest.raises(InputError, match="did not arrive whole"):
        arriving.take(part(b"4", at=13))


@pytest.mark.parametrize("bad", [{}, None, {**part(b"a"), "data": "!!"}, {**part(b"a"), "at": "x"}, part(b"b", at=7),
                                 {**part(b"a"), "at": float("inf")}])  # fmt: skip
def test_nonsense_from_a_browser_is_refused(bad):
    with pytest.raises(InputError, match="did not arrive whole"):
        uploads.Arriving(10).take(bad)
