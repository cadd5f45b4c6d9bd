"""Draw what the demo shows in a terminal: ``make picture`` runs it and writes ``docs/demo.svg``.

The demo runs in a pseudo-terminal, so that the picture has the colours and tables that a person sees.
"""

import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
_COLUMNS = 116


def record(command: list[str]) -> str:
    """Run a command in a pseudo-terminal; what it printed."""
    os.environ |= {"COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    printed = bytearray()

    def keep(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        printed.extend(data)
        return data

    if os.waitstatus_to_exitcode(pty.spawn(command, keep)) != 0:
        raise SystemExit("the demo failed; no picture is drawn")
    return printed.decode(errors="replace").replace("\r\n", "\n")


def draw(printed: str) -> str:
    """The terminal as SVG, without fonts from elsewhere and without this machine's folders."""
    clean = re.sub(r"\S*/benchhost-demo-[^/\s]+", "…", printed)
    clean = re.sub(r"\x1b\[\?25[lh]|\x1b\[[0-9]*[AKG]", "", clean)
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=_COLUMNS, file=nowhere)
        console.print(Text.from_ansi(clean.strip("\n")))
        svg = console.export_svg(title="make demo")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


if __name__ == "__main__":
    (ROOT / "docs" / "demo.svg").write_text(draw(record([sys.executable, str(ROOT / "examples" / "demo" / "demo.py")])))
