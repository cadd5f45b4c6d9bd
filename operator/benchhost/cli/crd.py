"""``benchhost crd``: print the CustomResourceDefinition that this version needs.

The file in ``crds/`` is this command's output (``make generate``).
"""

from typing import Any

import typer
import yaml

from benchhost.api.crd import custom_resource_definition

_HEADER = "# Generated from operator/benchhost/api by `make generate`; change the models, not this file.\n"


class _BlockDumper(yaml.SafeDumper):
    """Indents lists as Kubernetes manifests do and writes no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def to_yaml(document: dict[str, Any]) -> str:
    """The document as YAML, keys in the order that the models have them."""
    return _HEADER + yaml.dump(document, Dumper=_BlockDumper, sort_keys=False, width=110, allow_unicode=True)


def crd() -> None:
    """Print the CustomResourceDefinition of this version, for kubectl apply -f -."""
    typer.echo(to_yaml(custom_resource_definition()), nl=False)
