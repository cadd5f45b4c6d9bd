"""The base of every model of the API and the scalar types they share.

Models here are data: they check one object's shape and know nothing of the clock, the network or the cloud. Rules
that need two fields or the old object are CEL in the CRD (see ``crd``), so that the API server refuses them.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

DURATION_PATTERN: Final = r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"
"""Six digits are 114 years in hours, so that a duration after any real moment is still a moment."""
_DURATION = re.compile(DURATION_PATTERN)


def parse_duration(text: str) -> timedelta:
    """Read a duration as Kubernetes users write it: ``1h30m``, ``20m``, ``45s``.

    Raises
    ------
    ValueError
        If the text is empty or has another form.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError(
            f"{text!r} is not a duration; write hours, minutes and seconds as in 1h30m, 20m or 45s, "
            "each with at most six digits"
        )
    hours, minutes, seconds = (int((group or "0h")[:-1]) for group in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def to_timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds only where there are any (``metav1.Time`` reads both)."""
    utc = moment.astimezone(UTC)
    spec = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone: write it as 2026-01-31T12:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC this time is outside of the years 1 to 9999; write a nearer one") from error


def _to_milliseconds(moment: datetime) -> datetime:
    """As ``to_timestamp`` writes it: a moment compares alike before and after it was stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Timestamp = Annotated[
    datetime,
    AfterValidator(_to_utc),
    AfterValidator(_to_milliseconds),
    PlainSerializer(to_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC, to the millisecond."""


def _check_duration(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "minLength": 2, "maxLength": 16}),
]
"""A length of time as text; ``parse_duration`` reads it."""


class Model(BaseModel):
    """camelCase outside, snake_case inside, immutable; unknown fields of a newer version are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that goes to the API server: aliases, no fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SpecModel(Model):
    """The base of everything under ``spec``: an unknown field is an error, not a silent drop."""

    model_config = ConfigDict(extra="forbid")
