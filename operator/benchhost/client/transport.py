"""HTTP requests for the objects of one kind, and the one place where their failures become ``ClientError``.

Used by ``client``, ``watch``, ``leases`` and ``secrets``. It tries each request once (twice when credentials had to be
read again) and decides nothing about objects.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, ReadTimeoutError, SSLError

from benchhost.api.names import GROUP, KIND, PLURAL, VERSION
from benchhost.client.connection import ConnectionSettings, connect
from benchhost.client.errors import (
    ClientError,
    ConflictError,
    CrdMissingError,
    ExpiredError,
    ForbiddenError,
    NamespaceMissingError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
    UnreadableError,
    UntrustedServerError,
)
from benchhost.client.queries import Query

USER_AGENT: Final = "benchhost-client"
FIELD_MANAGER: Final = "benchhost-client"
MERGE_PATCH: Final = "application/merge-patch+json"

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _GONE = 400, 401, 403, 404, 409, 410
_TOO_MANY, _SERVER_ERROR = 429, 500


@dataclass(frozen=True, slots=True)
class Collection:
    """Where the objects of one kind are."""

    kind: str
    prefix: str
    """Path of the API group's version."""
    plural: str


BENCHHOSTS: Final = Collection(KIND, f"/apis/{GROUP}/{VERSION}", PLURAL)


class Transport:
    """Requests under one namespace's objects of one kind.

    Parameters
    ----------
    settings
        Which cluster and namespace.
    collection
        Which kind.
    """

    def __init__(self, settings: ConnectionSettings, collection: Collection) -> None:
        self._settings = settings
        self._collection = collection
        self._open()

    def _open(self) -> None:
        connection = connect(self._settings)
        self.namespace = connection.namespace
        self.where = connection.where
        self._api = ApiClient(connection.configuration)
        self._api.user_agent = USER_AGENT

    @property
    def settings(self) -> ConnectionSettings:
        """How this transport was configured."""
        return self._settings

    def close(self) -> None:
        """Close all connections; the transport opens new ones when it is used again."""
        self._api.close()

    def request(
        self,
        method: str,
        name: str | None = None,
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the object in the answer.

        Raises
        ------
        ClientError
            One of its subclasses; see ``errors``.
        """
        timeout = min(timeout_seconds or self._settings.request_timeout_seconds, self._settings.request_timeout_seconds)
        headers = {"Accept": "application/json", "Content-Type": content_type}
        with self._mapped(name or _name_in(body)):
            response = self._send(method, name, query or [], headers=headers, body=body, read_seconds=timeout)
            data = response.read()
        answer = _parse(data, self.where)
        if not isinstance(answer, dict):
            raise UnreadableError(f"{self.where} answered with something other than an object; is it an API server?")
        return answer

    @contextmanager
    def stream(self, query: Query, *, read_seconds: float) -> Iterator[Iterator[dict[str, Any]]]:
        """Open a watch: an iterator over its events, one JSON object a line, until the connection ends."""
        headers = {"Accept": "application/json"}
        with self._mapped(None):
            response = self._send("GET", None, query, headers=headers, body=None, read_seconds=read_seconds)
        raw: urllib3.HTTPResponse = response.response
        try:
            yield self._lines(raw)
        finally:
            raw.close()
            raw.release_conn()

    def _lines(self, raw: urllib3.HTTPResponse) -> Iterator[dict[str, Any]]:
        rest = b""
        with self._mapped(None):
            for chunk in raw.stream(amt=None, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield _parse(line, self.where)

    def _send(
        self,
        method: str,
        name: str | None,
        query: Query,
        *,
        headers: dict[str, str],
        body: Mapping[str, Any] | None,
        read_seconds: float,
    ) -> Any:
        try:
            return self._send_once(method, name, query, headers=headers, body=body, read_seconds=read_seconds)
        except ApiException as error:
            if error.status != _UNAUTHORIZED:
                raise
        # The token may have been renewed in the file since it was read.
        self._api.close()
        self._open()
        return self._send_once(method, name, query, headers=headers, body=body, read_seconds=read_seconds)

    def _send_once(
        self,
        method: str,
        name: str | None,
        query: Query,
        *,
        headers: dict[str, str],
        body: Mapping[str, Any] | None,
        read_seconds: float,
    ) -> Any:
        collection = self._collection
        path = f"{collection.prefix}/namespaces/{self.namespace}/{collection.plural}" + (f"/{name}" if name else "")
        if method in {"POST", "PATCH"}:
            query = [*query, ("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict")]
        prepared = self._api.param_serialize(
            method,
            path,
            query_params=query,
            header_params=dict(headers),
            body=body,
            auth_settings=["BearerToken"],
        )
        connect_seconds = min(self._settings.request_timeout_seconds, read_seconds)
        response = self._api.call_api(*prepared, _request_timeout=(connect_seconds, read_seconds))
        if response.status >= _BAD_REQUEST:
            response.read()
            raise ApiException(http_resp=response)
        return response

    @contextmanager
    def _mapped(self, name: str | None) -> Iterator[None]:
        """Turn what the libraries raise into our own errors, with the cause kept."""
        kind = self._collection.kind
        what = f"{kind} {self.namespace}/{name}" if name else f"{kind}s of namespace {self.namespace}"
        try:
            yield
        except ApiException as error:
            raise self._to_error(error, what) from error
        except ReadTimeoutError as error:
            raise UnreachableError(
                f"{self.where} did not answer in time; check that the API server is healthy"
            ) from error
        except SSLError as error:
            raise self._untrusted(error) from error
        except (HTTPError, OSError) as error:
            raise UnreachableError(
                f"{self.where} cannot be reached ({_short(error)}); "
                "check that the cluster runs and that the kubeconfig names the right one"
            ) from error

    def _untrusted(self, error: Exception) -> ClientError:
        text = _short(error)
        if "certificate" in text.lower():
            return UntrustedServerError(
                f"{self.where} is not trusted ({text}); put the cluster's CA certificate into the kubeconfig"
            )
        return UnreachableError(f"{self.where} broke off the TLS connection ({text}); check that it is an API server")

    def _to_error(self, error: ApiException, what: str) -> ClientError:
        if not error.status:
            return self._untrusted(error)
        status = _status_of(error)
        return to_client_error(int(error.status), status, what=what, where=self.where, retry_after=_retry_after(error))


def to_client_error(
    code: int, status: Mapping[str, Any], *, what: str, where: str, retry_after: float | None = None
) -> ClientError:
    """The error for an HTTP code and the ``metav1.Status`` that came with it.

    Parameters
    ----------
    code
        HTTP status code.
    status
        The answer's body; empty when it was not a ``Status``.
    what
        The object or collection that the request was about.
    where
        The API server, for messages.
    retry_after
        Seconds from the header Retry-After.
    """
    message = str(status.get("message") or f"HTTP {code}").rstrip(".")
    if code == _TOO_MANY or code >= _SERVER_ERROR:
        return UnavailableError(f"{where} cannot answer now ({code} {message})", retry_after_seconds=retry_after)
    if code == _NOT_FOUND:
        return _not_found(status, what, where)
    if _is_about_uid(status):
        return ConflictError(f"{what} at {where} is another object of that name by now")
    if code == _UNAUTHORIZED:
        hint = "the token may have expired: log in again"
        return UnauthorizedError(f"{where} does not accept the credentials (401 {message}); {hint}")
    kind, sentence = _SENTENCES.get(code, (RefusedError, "{where} refused {what}: {message}"))
    return kind(sentence.format(where=where, what=what, message=message))


_SENTENCES: Final[Mapping[int, tuple[type[ClientError], str]]] = {
    _FORBIDDEN: (
        ForbiddenError,
        "{where} refused access to {what}: {message}; ask for a role that allows it",
    ),
    _CONFLICT: (ConflictError, "{what} at {where} is not as expected: {message}"),
    _GONE: (ExpiredError, "the version of {what} to watch from is no longer kept by {where}: {message}"),
}


def _is_about_uid(status: Mapping[str, Any]) -> bool:
    """The API server refuses a patch with another uid as an invalid change (422), not as a conflict."""
    causes = (status.get("details") or {}).get("causes") or []
    return any(cause.get("field") == "metadata.uid" for cause in causes)


def _not_found(status: Mapping[str, Any], what: str, where: str) -> ClientError:
    details = status.get("details") or {}
    if not details.get("name"):
        return CrdMissingError(
            f"{where} does not know BenchHosts: the CRD is missing; install it with 'kubectl apply -f crds/'"
        )
    if details.get("kind") == "namespaces":
        name = details["name"]
        return NamespaceMissingError(
            f"{where} has no namespace {name!r}; create it with 'kubectl create namespace {name}'"
        )
    return NotFoundError(f"there is no {what} at {where}")


def _status_of(error: ApiException) -> Mapping[str, Any]:
    try:
        status = json.loads(error.body or "")
    except ValueError:
        return {}
    return status if isinstance(status, dict) and status.get("kind") == "Status" else {}


def _retry_after(error: ApiException) -> float | None:
    """Seconds; the API server never sends the date form (k8s.io/apiserver ``responsewriters``)."""
    text = (error.headers or {}).get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _name_in(body: Mapping[str, Any] | None) -> str | None:
    name = (body or {}).get("metadata", {}).get("name")
    return None if name is None else str(name)


def _parse(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise UnreadableError(f"{where} answered with something other than JSON; is it an API server?") from error


def _short(error: BaseException) -> str:
    """The innermost words of a chain of library errors, on one line."""
    cause: BaseException = error
    while isinstance(cause.__cause__ or cause.__context__, (OSError, ssl.SSLError, HTTPError)):
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]  # checked in the line above
    text = " ".join(str(getattr(cause, "strerror", None) or getattr(cause, "reason", None) or cause).split())
    return text or type(cause).__name__
