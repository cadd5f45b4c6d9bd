"""Where a build of the control plane is kept, under which key, and from which sources it is made.

Used by discovery (is there one?) and by the build (where to put it). It reads and names; it writes nothing.
The key is the Kubernetes version and a hash of everything that the build depends on, so that an upgrade of
BenchHost never uses the binary of another version, and two versions live side by side.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchhost.local.binaries import COMPONENTS, list_executables
from benchhost.local.errors import DiscoveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GoSource", "cache_folder", "cached_build", "find_go_source"]

BUILD_RECIPE: Final = "1"
"""Grows when the way of building changes (flags, names of links), so that older builds are not used."""

_PACKAGED_SOURCE = Path(__file__).with_name("_controlplane")
_CHECKOUT_SOURCE = Path(__file__).parents[3] / "controlplane"


@dataclass(frozen=True, slots=True)
class GoSource:
    """The Go module of the control plane."""

    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """What the build needs, in a fixed order."""
        wanted = ("go.mod", "go.sum", "go-toolchain.txt")
        return tuple(sorted([*self.folder.glob("*.go"), *(self.folder / name for name in wanted)]))

    @property
    def kubernetes_version(self) -> str:
        """As in go.mod, with its v: `v1.37.2`."""
        return self._required(r"^\s*(?:require )?k8s\.io/kubernetes (v\d+\.\d+\.\d+)\s*$")

    @property
    def go_version(self) -> tuple[int, ...]:
        """The oldest Go that can build it, as in go.mod."""
        return tuple(int(part) for part in self._required(r"^go (\d+\.\d+(?:\.\d+)?)\s*$").split("."))

    @property
    def module_count(self) -> int:
        """How many modules a build may have to download (each has a line for its content in go.sum)."""
        return sum("/go.mod " not in line for line in (self.folder / "go.sum").read_text().splitlines())

    @property
    def key(self) -> str:
        """Name of the build in the cache: version and hash of sources, recipe and platform."""
        digest = hashlib.sha256(f"{BUILD_RECIPE} {sys.platform} {platform.machine()}".encode())
        for file in self.files:
            digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
        return f"{self.kubernetes_version}-{digest.hexdigest()[:12]}"

    def _required(self, pattern: str) -> str:
        match = re.search(pattern, (self.folder / "go.mod").read_text(), re.MULTILINE)
        if match is None:
            raise DiscoveryError(f"{self.folder / 'go.mod'} is damaged; install BenchHost again.")
        return match[1]


def find_go_source() -> GoSource | None:
    """Take the sources that came with the package, else those of the checkout, else None."""
    for folder in (_PACKAGED_SOURCE, _CHECKOUT_SOURCE):
        if (folder / "go.mod").is_file() and (folder / "go.sum").is_file():
            return GoSource(folder)
    return None


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Choose the user's cache folder of BenchHost.

    `BENCHHOST_CACHE_DIR`, else `XDG_CACHE_HOME`/benchhost, else ~/.cache/benchhost. A relative XDG_CACHE_HOME is
    ignored, as the XDG base directory specification asks.
    """
    if own := environ.get("BENCHHOST_CACHE_DIR"):
        return Path(own).expanduser().absolute()
    shared = Path(environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "benchhost"


def build_folder(cache: Path, source: GoSource) -> Path:
    """Where the build of these sources lies, or would lie."""
    return cache / "controlplane" / source.key


def cached_build(cache: Path, source: GoSource) -> Path | None:
    """Give the folder of a finished build of exactly these sources, else None."""
    folder = build_folder(cache, source)
    return folder if list_executables(folder) == frozenset(COMPONENTS) else None
