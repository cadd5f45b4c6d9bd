"""Names for the requests of a life: a method and a path with everything that differs from life to life left out. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(
    r"/(namespaces|benchhosts|secrets|resourceGroups|virtualMachines|networkInterfaces|publicIPAddresses"
    r"|virtualNetworks|disks)/(?!kube-system\b)[^/?]+"
)
_READS = ("GET ", "POST /*/oauth2/")


def name_of(talk: str) -> str:
    """A request's name: ``PUT Microsoft.Compute/virtualMachines/*`` or ``PATCH …/benchhosts/*/status``."""
    path = _NAMED.sub(r"/\1/*", _GUID.sub("*", talk))
    return re.sub(r" /subscriptions/\*(/resourceGroups/\*)?/providers/", " ", path).replace(
        " /apis/benchhost.dev/v1alpha1/namespaces/*/", " …/"
    )


def is_write(talk: str) -> bool:
    """Whether the request changes anything anywhere."""
    return not name_of(talk).startswith(_READS)


def count_names(talks: Iterable[str]) -> Counter[str]:
    """How often each request comes."""
    return Counter(name_of(talk) for talk in talks)
