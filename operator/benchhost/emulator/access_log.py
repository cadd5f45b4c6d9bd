"""One JSON line for each request: when it came, what it asked for, how it was answered. For measurements and tests.

A fault that cuts the connection has status 0. Neither the query nor any header or body is in it: polling URLs are
signed, and tokens are secrets.
"""

from __future__ import annotations

import json
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


class AccessLog:
    """Writes to a file that the emulator opened.

    Parameters
    ----------
    output
        Where the lines go.
    """

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def write(self, request: web.BaseRequest, response: web.StreamResponse, *, arrived: float) -> None:
        """Note one request.

        Parameters
        ----------
        request
            The request.
        response
            Its answer.
        arrived
            When it came, in seconds since the epoch.
        """
        entry = {
            "time": arrived,
            "seconds": round(time.time() - arrived, 6),
            "method": request.method,
            "path": request.path,
            "status": response.status,
        }
        self._output.write(json.dumps(entry) + "\n")
        self._output.flush()
