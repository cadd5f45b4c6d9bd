"""Expressions: what stands between ``[`` and ``]`` in a string of a template, taken apart.

Grammar: a call ``name(argument, …)``, a string in single quotes or an integer, followed by any number of ``.name`` and
``[index]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.templates.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH = 24_576
"""Characters in an expression (doc: template limits)."""

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w$]*)|(?P<sign>[()\[\],.]))")


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or an integer."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is given."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """``of.name``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """``of[index]``."""

    of: Expression
    index: Expression


Expression = Literal | Call | Member | Item


def is_expression(text: str) -> bool:
    """Tell whether a string of a template is to be evaluated."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescape(text: str) -> str:
    """Return the string that is meant by one that is no expression: ``[[`` at its start stands for ``[``."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def parse(text: str) -> Expression:
    """Take an expression apart, given with its brackets.

    Raises
    ------
    TemplateError
        When it is none.
    """
    if len(text) > MAX_LENGTH:
        raise TemplateError(f"An expression has {len(text)} characters; {MAX_LENGTH} are allowed.")
    return _Parser(text[1:-1], text).whole()


def calls_in(expression: Expression) -> Iterator[Call]:
    """Iterate over every call in an expression, outermost first."""
    match expression:
        case Literal():
            return
        case Call():
            yield expression
            for argument in expression.arguments:
                yield from calls_in(argument)
        case Member():
            yield from calls_in(expression.of)
        case Item():
            yield from calls_in(expression.of)
            yield from calls_in(expression.index)


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, inner: str, shown: str) -> None:
        self._shown = shown
        self._tokens = list(self._split(inner))
        self._at = 0

    def whole(self) -> Expression:
        found = self._expression()
        if self._peek() != ("end", ""):
            raise self._unexpected()
        return found

    def _split(self, inner: str) -> Iterator[tuple[str, str]]:
        at, end = 0, len(inner.rstrip())
        while at < end:
            match = _TOKEN.match(inner, at)
            if match is None or match.lastgroup is None:
                raise TemplateError(f"The expression '{self._shown}' is not valid at '{inner[at:].strip()[:20]}'.")
            yield match.lastgroup, match[match.lastgroup]
            at = match.end()
        yield "end", ""

    def _expression(self) -> Expression:
        found = self._primary()
        while self._peek() in (("sign", "."), ("sign", "[")):
            if self._next()[1] == ".":
                found = Member(found, self._expect("name"))
            else:
                found = Item(found, self._expression())
                self._expect("sign", "]")
        return found

    def _primary(self) -> Expression:
        kind, value = self._next()
        match kind:
            case "text":
                return Literal(value[1:-1].replace("''", "'"))
            case "number":
                return Literal(int(value))
            case "name":
                return Call(value, self._arguments(value))
            case _:
                self._at -= 1
                raise self._unexpected()

    def _arguments(self, function: str) -> tuple[Expression, ...]:
        if self._peek() == ("sign", "."):
            raise TemplateError(f"The expression '{self._shown}' uses '{function}.', a namespace of functions, and the "
                                "emulator knows no functions that a template defines itself.")  # fmt: skip
        self._expect("sign", "(")
        if self._peek() == ("sign", ")"):
            self._next()
            return ()
        arguments = [self._expression()]
        while self._peek() == ("sign", ","):
            self._next()
            arguments.append(self._expression())
        self._expect("sign", ")")
        return tuple(arguments)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _expect(self, kind: str, value: str | None = None) -> str:
        token = self._peek()
        if token[0] != kind or (value is not None and token[1] != value):
            raise self._unexpected()
        return self._next()[1]

    def _unexpected(self) -> TemplateError:
        kind, value = self._peek()
        found = "its end" if kind == "end" else f"'{value}'"
        return TemplateError(f"The expression '{self._shown}' is not valid: it was not expected to go on with {found}.")
