"""What a policy study found: tables, a page in plain words, and figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecosim.study.spreadsheet import csv

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.seal import Opening
    from ecosim.study.policy.spec import PolicySpec

PAGE = "page.md"


@dataclass(frozen=True, eq=False, repr=False)
class Found:
    """What was found; ``tables`` are data frames by name (docs/policy_search.md says what their columns are)."""

    spec: PolicySpec
    folder: Path
    chosen: Package
    """The package that is recommended, or the one of doing nothing."""
    tables: dict[str, pd.DataFrame]
    opened_before: tuple[Opening, ...]
    """Earlier openings of the sealed troubles for another choice."""
    dropped: dict[str, int]
    """Futures in which some run failed, by what they were for; none of them is in any table."""

    def __repr__(self) -> str:
        """Say what it is."""
        return f"<policy study {self.spec.name!r}: {len(self.tables['packages']):,} packages in {self.folder}>"

    def page(self) -> str:
        """All of it in words, as Markdown."""
        from ecosim.study.policy.page import page

        return page(self)

    def write(self) -> Path:
        """Write tables (CSV and Parquet), the page and the figures to the folder; returns the page's file."""
        from ecosim.study.policy.figures import draw

        for name, frame in self.tables.items():
            if frame.columns.empty:
                continue
            self._whole(f"{name}.csv", csv(frame))
            half = self.folder / f".{name}.parquet"
            frame.to_parquet(half)
            half.replace(self.folder / f"{name}.parquet")
        self._whole("study.json", json.dumps(self.spec.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n")
        draw(self, self.folder)
        return self._whole(PAGE, self.page())

    def _whole(self, name: str, text: str) -> Path:
        half, whole = self.folder / f".{name}", self.folder / name
        half.write_text(text, encoding="utf-8")
        half.replace(whole)
        return whole
