"""One subject as a script: what experiments/published/ is made of."""

from __future__ import annotations

import argparse
import sys

from ecosim.report.validation import show
from ecosim.validation import SUBJECTS


def main(name: str) -> None:
    """Measure one subject, print its table, and end with 1 where a check is missed; ``--quick`` makes it small."""
    subject = SUBJECTS[name]
    parser = argparse.ArgumentParser(description=subject.story)
    parser.add_argument("--quick", action="store_true", help="small, in seconds")
    missed = show(subject.story, subject.checks(quick=parser.parse_args().quick))
    sys.exit(1 if missed else 0)
