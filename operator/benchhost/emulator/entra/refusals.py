"""Every refusal of the token endpoint, with Entra's error, AADSTS number and wording.

Raised by the checks of a token request, turned into an answer by `authority`. Texts and numbers: "Microsoft Entra
authentication and authorization error codes", and for assertions what people have quoted (azure-workload-identity
issues 616 and 1200, microsoft-authentication-library-for-js issue 8339, Agents issue 202). Where nobody quoted one it
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus


@dataclass(slots=True)
class TokenRefusedError(Exception):
    """A token request that Entra refuses.

    Parameters
    ----------
    error
        OAuth 2.0 error code.
    number
        AADSTS number.
    message
        What follows the number.
    status
        HTTP status.
    """

    error: str
    number: int
    message: str
    status: int = HTTPStatus.BAD_REQUEST


def tenant_not_found(tenant: str) -> TokenRefusedError:
    """Return the refusal of a directory that does not exist."""
    return TokenRefusedError(
        "invalid_request",
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the correct cloud. Check with your subscription administrator, this may happen if there are "
        "no active subscriptions for the tenant.",
    )


def parameter_missing(name: str) -> TokenRefusedError:
    """Return the refusal of a form without a field."""
    return TokenRefusedError(
        "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
    )


def grant_not_supported(grant: str) -> TokenRefusedError:
    """Return the refusal of any grant but client credentials."""
    return TokenRefusedError("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")


def application_not_found(client_id: str, tenant: str) -> TokenRefusedError:
    """Return the refusal of an application that is not in the directory."""
    return TokenRefusedError(
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory "
        f"'{tenant}'. This can happen if the application has not been installed by the "
        "administrator of the tenant or consented to by any user in the tenant. You may have sent your "
        "authentication request to the wrong tenant.",
    )


def nothing_to_prove_it() -> TokenRefusedError:
    """Return the refusal of a request with neither secret nor assertion."""
    return _invalid_client(
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
    )


def wrong_secret(client_id: str) -> TokenRefusedError:
    """Return the refusal of a client secret."""
    return _invalid_client(
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
        f"value, not the client secret ID, for a secret added to app '{client_id}'.",
    )


def scope_not_valid(scope: str) -> TokenRefusedError:
    """Return the refusal of a scope that is not one resource's default."""
    return TokenRefusedError(
        "invalid_scope",
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
        "value with /.default suffixed to the resource identifier (application ID URI).",
    )


def resource_not_found(resource: str, tenant: str) -> TokenRefusedError:
    """Return the refusal of an audience that is not this cloud's."""
    return TokenRefusedError(
        "invalid_resource",
        500011,
        f"The resource principal named {resource} was not found in the tenant named "
        f"{tenant}. This can happen if the application has not been installed by the "
        "administrator of the tenant or consented to by any user in the tenant.",
    )


def malformed_assertion() -> TokenRefusedError:
    """Return the refusal of an assertion that is no token. The number is documented, the status is assumed."""
    return TokenRefusedError("invalid_request", 50027, "JWT token is invalid or malformed.")


def certificate_not_registered(client_id: str, thumbprint: str) -> TokenRefusedError:
    """Return the refusal of an assertion that no registered certificate has signed."""
    return _invalid_client(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', Please visit the Azure "
        f"Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{client_id}'.]",
    )


def signature_not_valid(number: int, thumbprint: str) -> TokenRefusedError:
    """Return the refusal of a signature: 700027 for a certificate's, 50013 for an issuer's (assumed for federation)."""
    what = "Client assertion" if number == 700027 else "Assertion"  # noqa: PLR2004 - the number is its own name
    return _invalid_client(
        number,
        f"{what} failed signature validation. [Reason - The provided signature value did not match the expected "
        f"signature value., Thumbprint of key used by client: '{thumbprint}'.]",
    )


def assertion_of_another(client_id: str) -> TokenRefusedError:
    """Return the refusal of an assertion that speaks of another application."""
    return _invalid_client(
        700021, f"Client assertion application identifier doesn't match 'client_id' parameter '{client_id}'."
    )


def assertion_for_another(audience: object) -> TokenRefusedError:
    """Return the refusal of an assertion that was made for somebody else."""
    return _invalid_client(
        700023, f"Client assertion audience claim does not match Realm issuer. The audience was '{audience}'."
    )


def assertion_out_of_time(now: float, begins: float, expires: float) -> TokenRefusedError:
    """Return the refusal of an assertion that is not valid yet, or not any more."""
    present, start, end = (
        f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (now, begins, expires)
    )
    return _invalid_client(
        700024,
        f"Client assertion is not within its valid time range. Current time: {present}, assertion valid from "
        f"{start}, expiry time of assertion {end}.",
    )


def no_federated_identity(claim: str, value: object) -> TokenRefusedError:
    """Return the refusal of a federated token whose ``issuer``, ``audience`` or ``subject`` no application expects."""
    number = {"issuer": 700211, "audience": 700212, "subject": 700213}[claim]
    return _invalid_client(
        number,
        f"No matching federated identity record found for presented assertion {claim} '{value}'. Check your "
        "federated identity credential Subject, Audience and Issuer against the presented assertion.",
    )


def _invalid_client(number: int, message: str) -> TokenRefusedError:
    return TokenRefusedError("invalid_client", number, message, HTTPStatus.UNAUTHORIZED)
