"""What the model is checked against: one module for each subject, each a list of what is expected and what is found.

Beside them: `check` is a line of such a list, `subject` a subject with its size, `worlds`, `jolts` and `authors` hold
the small economies, the shocks and the printed numbers that several subjects need.
"""

from __future__ import annotations

from ecosim.validation.acemoglu import acemoglu
from ecosim.validation.buffer_chain import buffer_chain
from ecosim.validation.bullwhip import bullwhip
from ecosim.validation.check import Check
from ecosim.validation.cohen import cohen
from ecosim.validation.cramer_lundberg import cramer_lundberg
from ecosim.validation.default_world import default_world
from ecosim.validation.diem import diem
from ecosim.validation.eisenberg_noe import eisenberg_noe
from ecosim.validation.elliott import elliott
from ecosim.validation.gabaix import gabaix
from ecosim.validation.gibrat import gibrat
from ecosim.validation.inoue_todo import inoue_todo
from ecosim.validation.leontief import leontief
from ecosim.validation.mutual_pool import mutual_pool
from ecosim.validation.subject import Subject
from ecosim.validation.watts import watts

#: What can be validated, by name on the command line, with the sizes of the quick form.
SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(leontief, {"firms": 40, "days": 1200}),
        Subject(buffer_chain, {"days": 90}),
        Subject(inoue_todo, {}),
        Subject(diem, {}),
        Subject(acemoglu, {"firms": 50, "days": 1200}),
        Subject(elliott, {"firms": 10_000, "engine_firms": 300, "days": 800}),
        Subject(watts, {"nodes": 4000, "graphs": 2, "seeds": 5, "engine_nodes": 200, "engine_graphs": 1}),
        Subject(cohen, {"graphs": 5}),
        Subject(bullwhip, {"days": 1500}),
        Subject(eisenberg_noe, {"days": 300, "economies": 1}),
        Subject(cramer_lundberg, {"claims": 500, "engine_paths": 300, "days": 200}),
        Subject(gibrat, {"firms": 20_000, "steps": 20, "looks": 1}),
        Subject(gabaix, {"firms": 300, "days": 1500, "draws": 3}),
        Subject(mutual_pool, {"days": 500}),
        Subject(default_world, None),
    )
}

__all__ = ["SUBJECTS", "Check", "Subject", "default_world"]
