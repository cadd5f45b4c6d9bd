import subprocess
import sys

import benchhost.client


def test_public_names_are_these_and_no_others() -> None:
    assert benchhost.client.__all__ == [
        "BenchHostClient",
        "ClientError",
        "ConfigurationError",
        "ConflictError",
        "ConnectionSettings",
        "CrdMissingError",
        "Deadline",
        "EventType",
        "ForbiddenError",
        "LeaseClient",
        "LeaseOwner",
        "NotFoundError",
        "RefusedError",
        "UnauthorizedError",
        "UnavailableError",
        "UnreachableError",
        "UnreadableError",
        "UntrustedServerError",
        "WaitTimeoutError",
        "WatchEvent",
        "read_secret",
    ]
    assert all(hasattr(benchhost.client, name) for name in benchhost.client.__all__)


def test_importing_the_client_imports_no_controller_cloud_or_mlos_bench() -> None:
    heavy = "kopf", "azure", "mlos_bench", "aiohttp"
    code = f"import sys, benchhost.client; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
