"""What kind of business a sector is; the files beside this one say what is usual for a profile, each a YAML file.

``manufacturing``, ``services``, ``retail`` and ``technology`` are profiles of sectors, ``smb`` and ``supplier`` of
roles, and ``small_town`` and ``city`` of communities of customers (`ecosim.config.presets` reads them).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

#: Words in the name of a sector that tell its profile; the first that fits decides.
_WORDS = {
    "services": r"except government|renting|rental|insurance",
    "public": r"government|public administration|defen[cs]e",
    "technology": r"information|telecom|broadcast|data processing|software|computer systems|internet|motion picture",
    "construction": r"construction|building|electrical work",
    "retail": (
        r"retail|dealers|stores|wholesale|sale of|grocer|butcher|hardware|books|pharmac|flowers|bicycles|merchant"
    ),
    "primary": r"agricultur|farm|forest|fishing|mining|quarry|oil and gas|hop growing",
    "manufacturing": (
        r"manufactur|products|metals|machinery|equipment|transport equipment|motor vehicles|textile|leather|apparel|"
        r"wood|timber|pulp|paper|printing|refined|chemicals|rubber|plastics|minerals|milling|cheese|brewing|baking|"
        r"beverages|goods"
    ),
}  # fmt: skip

PROFILES = ("primary", "manufacturing", "construction", "retail", "services", "technology", "public")

#: Where the presets are.
FOLDER = Path(__file__).parent


@cache
def profile_of(sector: str) -> str:
    """Profile of a sector by its name; services where no word of the name says otherwise."""
    name = sector.lower()
    return next((profile for profile, words in _WORDS.items() if re.search(words, name)), "services")
