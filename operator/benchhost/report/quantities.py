"""How numbers are written, on the page and on the terminal. Pure."""

import math
from collections.abc import Sequence
from typing import Final

_THOUSAND: Final = 1000
_SMALLEST_P: Final = 0.001
_SMALLEST_PLAIN: Final = 0.001
_LARGEST_PLAIN: Final = 1e7
"""Beyond these, numbers are easier to read with an exponent."""


def score(value: float) -> str:
    """Four significant digits, whole numbers from a thousand on."""
    if _THOUSAND <= abs(value) < _LARGEST_PLAIN:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def alike(first: float, second: float) -> tuple[str, str]:
    """Two scores with the same number of decimals, so that they can be compared at a glance."""
    largest = max(abs(first), abs(second))
    if not _SMALLEST_PLAIN <= largest < _LARGEST_PLAIN:
        return score(first), score(second)
    decimals = max(0, 3 - math.floor(math.log10(largest)))
    return f"{first:,.{decimals}f}", f"{second:,.{decimals}f}"


def signed(value: float) -> str:
    """A difference: three significant digits with its sign."""
    text = f"{value:+,.0f}" if _THOUSAND <= abs(value) < _LARGEST_PLAIN else f"{value:+.3g}"
    return "0" if text in {"+0", "-0"} else text


def percent(share: float) -> str:
    """A part of one, in whole per cent."""
    return f"{100 * share:.0f}"


def signed_percent(share: float) -> str:
    """A relative difference in per cent, with its sign, without the unit."""
    value = 100 * share
    return f"{value:+.1f}" if abs(value) < 100 else f"{value:+,.0f}"  # noqa: PLR2004 - three digits


def p_value(value: float) -> str:
    """As journals write it."""
    return f"p < {_SMALLEST_P}" if value < _SMALLEST_P else f"p = {value:.2g}"


def degrees(value: float) -> str:
    """Degrees of freedom, which Welch's test makes broken numbers."""
    return f"{value:.0f}" if abs(value - round(value)) < 1e-6 else f"{value:.1f}"  # noqa: PLR2004 - a rounding error


def seconds(value: float | None) -> str:
    """A duration in seconds."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if value < _THOUSAND else f"{value:,.0f}"


def count(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it has to be."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"


def listed(words: Sequence[str]) -> str:
    """Words with commas, and a last one."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else ""
