"""Evaluates what a template says: strings that are expressions, in any depth of lists and objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from benchhost.emulator.cloud.templates.errors import TemplateError, not_supported
from benchhost.emulator.cloud.templates.expressions import (
    Call,
    Expression,
    Item,
    Literal,
    Member,
    is_expression,
    parse,
    unescape,
)
from benchhost.emulator.cloud.templates.text_functions import TEXT_FUNCTIONS, require_text
from benchhost.emulator.cloud.templates.value_functions import VALUE_FUNCTIONS, item_of, member_of, require_bool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PURE = {name.lower(): (name, *entry) for name, entry in (TEXT_FUNCTIONS | VALUE_FUNCTIONS).items()}

_KNOWN_ELSEWHERE = {
    "copyindex": "copy loops",
    "newguid": "the function 'newGuid', whose value nobody can repeat",
    "utcnow": "the function 'utcNow', whose value nobody can repeat",
    "listkeys": "the function 'listKeys'",
}


class References(Protocol):
    """Finds what ``reference`` asks for."""

    def __call__(self, target: str, api_version: str | None, *, full: bool) -> Any:
        """Return a resource's properties, or all of it; ``target`` is an id or a name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a template is deployed to.

    Parameters
    ----------
    resource_group, subscription
        What the functions of these names give.
    """

    resource_group: Mapping[str, Any]
    subscription: Mapping[str, Any]

    def resource_id(self, values: Sequence[Any]) -> str:
        """Return the id that ``resourceId`` makes of a type and names; subscription and group may stand before them."""
        texts = [require_text(value, "resourceId") for value in values]
        at = next((place for place, text in enumerate(texts) if "/" in text), None)
        if at is None or at > _SCOPE_ARGUMENTS:
            raise TemplateError("The function 'resourceId' expects a resource type such as 'Microsoft.Network/x'.")
        before = [self.subscription["subscriptionId"], self.resource_group["name"]]
        before[_SCOPE_ARGUMENTS - at :] = texts[:at]
        return f"/subscriptions/{before[0]}/resourceGroups/{before[1]}{provider_path(texts[at], texts[at + 1 :])}"

    def subscription_resource_id(self, values: Sequence[Any]) -> str:
        """Return the id of something that is in the subscription and in no group."""
        texts = [require_text(value, "subscriptionResourceId") for value in values]
        at = 0 if "/" in texts[0] else 1
        subscription = texts[0] if at else self.subscription["subscriptionId"]
        return f"/subscriptions/{subscription}{provider_path(texts[at], texts[at + 1 :])}"


_SCOPE_ARGUMENTS = 2
"""Subscription and group, which may stand before the type."""


def provider_path(kind: str, names: Sequence[str]) -> str:
    """Return the end of an id.

    Raises
    ------
    TemplateError
        When there are not as many names as the type has parts.
    """
    namespace, *types = kind.rstrip("/").split("/")
    if not types or len(types) != len(names):
        raise TemplateError(
            f"The resource type '{kind}' has {len(types)} parts after its namespace, and {len(names)} names were given."
        )
    return f"/providers/{namespace}" + "".join(f"/{one}/{name}" for one, name in zip(types, names, strict=True))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluates values of one template.

    Parameters
    ----------
    scope
        Where it is deployed to.
    parameters
        Their values.
    variables
        As the template has them, not evaluated.
    references
        Finds resources; None where they cannot be asked for yet.
    """

    scope: Scope
    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    references: References | None = None
    _under_way: list[str] = field(default_factory=list)

    def value(self, given: Any) -> Any:
        """Return a value of the template with every expression in it evaluated.

        Raises
        ------
        TemplateError
            Naming what is wrong.
        """
        if isinstance(given, str):
            return self.evaluate(parse(given)) if is_expression(given) else unescape(given)
        if isinstance(given, list):
            return [self.value(item) for item in given]
        if isinstance(given, dict):
            return {key: self.value(item) for key, item in given.items()}
        return given

    def evaluate(self, expression: Expression) -> Any:
        """Return what an expression comes to.

        Raises
        ------
        TemplateError
            Naming what is wrong.
        """
        match expression:
            case Literal():
                return expression.value
            case Member():
                return member_of(self.evaluate(expression.of), expression.name)
            case Item():
                return item_of(self.evaluate(expression.of), self.evaluate(expression.index))
            case Call():
                return self._call(expression)

    def _call(self, call: Call) -> Any:
        special = self._special(call.function.lower())
        if special is not None:
            return special(call.arguments)
        name, function, least, most = pure_function(call.function)
        values = [self.evaluate(argument) for argument in call.arguments]
        if len(values) < least or (most is not None and len(values) > most):
            raise TemplateError(f"The function '{name}' was given {len(values)} arguments, which it does not take.")
        return function(values)

    def _special(self, name: str) -> Callable[[Sequence[Expression]], Any] | None:
        """Return a function that needs more than the values of its arguments."""
        special: dict[str, Callable[[Sequence[Expression]], Any]] = {
            "if": self._if,
            "and": self._and,
            "or": self._or,
            "coalesce": self._coalesce,
            "parameters": self._parameter,
            "variables": self._variable,
            "reference": self._reference,
            "resourceid": lambda arguments: self.scope.resource_id(self._values(arguments)),
            "subscriptionresourceid": lambda arguments: self.scope.subscription_resource_id(self._values(arguments)),
            "resourcegroup": lambda _: dict(self.scope.resource_group),
            "subscription": lambda _: dict(self.scope.subscription),
        }
        return special.get(name)

    def _values(self, arguments: Sequence[Expression]) -> list[Any]:
        return [self.evaluate(argument) for argument in arguments]

    def _if(self, arguments: Sequence[Expression]) -> Any:
        if len(arguments) != _IF_ARGUMENTS:
            raise TemplateError("The function 'if' expects a condition and two values.")
        holds = require_bool(self.evaluate(arguments[0]), "if")
        return self.evaluate(arguments[1 if holds else 2])

    def _and(self, arguments: Sequence[Expression]) -> bool:
        return all(require_bool(self.evaluate(argument), "and") for argument in arguments)

    def _or(self, arguments: Sequence[Expression]) -> bool:
        return any(require_bool(self.evaluate(argument), "or") for argument in arguments)

    def _coalesce(self, arguments: Sequence[Expression]) -> Any:
        return next((value for value in map(self.evaluate, arguments) if value is not None), None)

    def _parameter(self, arguments: Sequence[Expression]) -> Any:
        name = self._name(arguments, "parameters")
        for known, value in self.parameters.items():
            if known.lower() == name.lower():
                return value
        raise TemplateError(f"The template parameter '{name}' is not found.")

    def _variable(self, arguments: Sequence[Expression]) -> Any:
        name = self._name(arguments, "variables")
        found = next((key for key in self.variables if key.lower() == name.lower()), None)
        if found is None:
            raise TemplateError(f"The template variable '{name}' is not found.")
        if found in self._under_way:
            raise TemplateError(f"The template variable '{found}' refers to itself.")
        self._under_way.append(found)
        try:
            return self.value(self.variables[found])
        finally:
            self._under_way.pop()

    def _name(self, arguments: Sequence[Expression], function: str) -> str:
        if len(arguments) != 1:
            raise TemplateError(f"The function '{function}' expects one name.")
        return require_text(self.evaluate(arguments[0]), function)

    def _reference(self, arguments: Sequence[Expression]) -> Any:
        if self.references is None:
            raise TemplateError(
                "The template function 'reference' is not expected at this location: no resource exists yet."
            )
        values = [*self._values(arguments), None, None]
        return self.references(
            require_text(values[0], "reference"), values[1], full=str(values[2] or "").lower() == "full"
        )


_IF_ARGUMENTS = 3

SPECIAL_FUNCTIONS = frozenset(
    (
        *("if", "and", "or", "coalesce", "parameters", "variables", "reference", "resourceid"),
        *("subscriptionresourceid", "resourcegroup", "subscription"),
    )
)


def pure_function(name: str) -> tuple[str, Callable[[Sequence[Any]], Any], int, int | None]:
    """Return a function that needs nothing but its arguments, and how many it takes.

    Raises
    ------
    TemplateError
        For one that is not there.
    """
    found = _PURE.get(name.lower())
    if found is not None:
        return found
    if name.lower() in _KNOWN_ELSEWHERE:
        raise not_supported(_KNOWN_ELSEWHERE[name.lower()])
    raise not_supported(f"the template function '{name}'")


def require_known(call: Call) -> None:
    """Refuse a call of a function that is not there, even where it would never be evaluated."""
    if call.function.lower() not in SPECIAL_FUNCTIONS:
        pure_function(call.function)
