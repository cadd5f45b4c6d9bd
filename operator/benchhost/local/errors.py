"""What can go wrong with a local control plane, each as one sentence for a person.

Raised by every module of `benchhost.local`; the command line prints the message and nothing else. The messages
say what happened, where, and what to do; they never hold a key or a token.

    ControlPlaneError
    ├── DiscoveryError              no control plane can be found or made here
    ├── BuildError                  the build did not end well
    │   └── BuildInterruptedError   it was stopped from outside
    ├── StartError                  a component did not come up
    │   └── PortTakenError          another process was quicker to bind the port
    ├── ComponentDiedError          a component ended while it was in use
    ├── InstanceError               a folder of an instance is in use, foreign or not running
    ├── AccessError                 no kubeconfig could be made for an identity
    └── UnsupportedOperationError   this kind of control plane cannot do that
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "BuildError",
    "BuildInterruptedError",
    "ComponentDiedError",
    "ControlPlaneError",
    "DiscoveryError",
    "InstanceError",
    "PortTakenError",
    "StartError",
    "UnsupportedOperationError",
]


class ControlPlaneError(Exception):
    """Anything that keeps a local control plane from being found, built, started, used or stopped."""


class DiscoveryError(ControlPlaneError):
    """No control plane can be found or made on this machine, or the one that was named is not usable."""


class BuildError(ControlPlaneError):
    """The control plane could not be built."""


class BuildInterruptedError(BuildError):
    """The build was stopped before its end; nothing half-built is left."""


class StartError(ControlPlaneError):
    """A component did not start, or did not get ready in time."""


class PortTakenError(StartError):
    """Another process bound the port between choosing it and using it; trying again with new ports helps."""


class ComponentDiedError(ControlPlaneError):
    """A component ended by itself after it had been ready."""


class InstanceError(ControlPlaneError):
    """The folder of an instance is in use, belongs to somebody else, or holds nothing that runs."""


class AccessError(ControlPlaneError):
    """No kubeconfig could be made for an identity."""


class UnsupportedOperationError(ControlPlaneError):
    """The control plane is not of a kind that can do what was asked."""
