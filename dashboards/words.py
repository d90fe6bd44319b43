"""Numbers in words: as many digits as mean something, a true minus, and no sign before nothing."""

from __future__ import annotations

MINUS = "\u2212"


def figure(value: float, digits: int = 1) -> str:
    """A figure; from a hundred on without a fraction."""
    return _plain(f"{value:.{digits}f}" if abs(value) < 99.95 else f"{value:.0f}")


def exact(value: float, digits: int) -> str:
    """A number with just so many digits, thousands apart."""
    return _plain(f"{value:,.{digits}f}")


def signed(value: float, digits: int = 1) -> str:
    """A difference, with its sign."""
    return _plain(f"{value:+.{digits}f}")


def _plain(text: str) -> str:
    return text.lstrip("+-") if not float(text.replace(",", "")) else text.replace("-", MINUS)
