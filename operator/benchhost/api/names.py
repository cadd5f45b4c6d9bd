"""The fixed names of the API: group, version, kind, finalizer, labels and tags.

Everybody imports them from here; nothing here may depend on anything but strings.
"""

from typing import Final

GROUP: Final = "benchhost.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "BenchHost"
PLURAL: Final = "benchhosts"
SINGULAR: Final = "benchhost"
SHORT_NAME: Final = "bh"
CATEGORY: Final = "bench"

FINALIZER: Final = f"{GROUP}/cloud-resources"
"""Held by the controller from the first pass until the cloud has confirmed that everything is gone."""

LABEL_OWNER: Final = f"{GROUP}/owner"
"""Set by the client: which experiment or user made the object (the config key ``owner``)."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""The recommended Kubernetes label; the client writes its own name into it."""

OWNER_TAG_PREFIX: Final = "benchhost-"
"""How the names of the tags begin that tell whose a cloud resource is. The cloud compares them without case."""
