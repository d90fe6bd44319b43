"""The colours of the dashboard, for charts and the network; assets/theme.css says the same to the pages.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which people with the common kinds of colour
blindness tell apart. A colour never stands alone: lines differ in dash, marks in shape.
"""

from __future__ import annotations

from typing import Final

INK: Final = "#16202a"
MUTED: Final = "#55606b"
LINE: Final = "#d5dae0"
GROUND: Final = "#f6f7f9"
PAPER: Final = "#ffffff"
ACCENT: Final = "#0072b2"
"""The one accent: what can be pressed, and the line that is now."""
BASELINE: Final = "#6b7580"
"""The pinned baseline, always dashed."""
LOSS: Final = "#d55e00"
GAIN: Final = "#009e73"
EVENT: Final = "#e69f00"

SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#16202a", "#f0e442")
"""Okabe and Ito in the order in which series take them."""
DASHES: Final = ("solid", [8, 4], [2, 3], [10, 3, 2, 3])
"""ECharts line types that go with the first four series."""
SHAPES: Final = ("circle", "triangle", "rect", "diamond", "pin", "roundRect")
"""ECharts symbols that go with the series."""
LABELS: Final = {"fragile": LOSS, "robust": MUTED, "resilient": ACCENT, "antifragile": GAIN}
"""The four verdicts of ecosim.resilience."""
FONT: Final = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif'
