"""What is wrong with a template, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class TemplateError(Exception):
    """A template that cannot be deployed.

    Parameters
    ----------
    reason
        A sentence that names what is wrong.
    """

    reason: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.reason

    def within(self, where: str) -> TemplateError:
        """Return the same error with the place where it was found."""
        return TemplateError(f"Unable to process template language expressions in {where}: {self.reason}")


def not_supported(what: str) -> TemplateError:
    """Return the refusal of something that Azure has and the emulator does not."""
    return TemplateError(
        f"The emulator does not support {what}. Write the template without, or use a real subscription."
    )


def kind_of(value: Any) -> str:
    """Return what sort of value it is, in words; the value itself may be a secret."""
    return "null" if value is None else _KINDS.get(type(value), "something else")


_KINDS = {str: "a string", bool: "true or false", int: "a number", list: "a list", dict: "an object"}
