"""HTTP answers as the SDK hands them over, made without a server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from azure.core.utils import case_insensitive_dict


@dataclass
class Response:
    """The part of ``azure.core.rest.AsyncHttpResponse`` that is read."""

    status_code: int
    body: object = None
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> Mapping[str, str]:
        return case_insensitive_dict(self.given)  # type: ignore[no-any-return]

    def text(self) -> str:
        return self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
