"""Hands of a study that live every batch in this process, so that a test sees each step."""

from collections import Counter
from typing import ClassVar

from ecosim.study.job import Died
from ecosim.study.worker import batch


class Here:
    """Hands that live every batch in this process, and die or are refused where a test says so."""

    dies: ClassVar[Counter] = Counter()  # how often the process that lives this run dies

    def __init__(self, setting, count):
        self.setting, self.wanted, self.events = setting, count, []

    def room(self):
        return self.wanted - len(self.events)

    def count(self):
        return self.wanted

    def give(self, jobs):
        deadly = [job.run for job in jobs if self.dies[job.run]]
        if deadly:
            self.dies.subtract(deadly)
            self.events.append(Died(tuple(job.run for job in jobs)))
        else:
            self.events.append(batch(self.setting, jobs))

    def take(self, seconds):
        told, self.events = self.events[::-1], []  # the last one first: order must not matter
        return told

    def close(self):
        pass
