"""A benchmark that does what files in the folder ``orders`` beside it say.

``wait``: measure only when the file is gone. ``fail``: exit with an error. ``no-results``: succeed and write nothing.
"""

import csv
import json
import sys
import time
from pathlib import Path

LIMIT_SECONDS = 240.0
"""A trial whose test was killed ends after that."""


def main(tunables_file: str, results_file: str) -> None:
    """Write ``metric,value`` rows, as LocalEnv reads them."""
    orders = Path(__file__).parent / "orders"
    end = time.monotonic() + LIMIT_SECONDS
    while (orders / "wait").exists() and time.monotonic() < end:
        time.sleep(0.02)
    if (orders / "fail").exists():
        sys.exit("the benchmark has failed as it was ordered to")
    if (orders / "no-results").exists():
        return
    with Path(results_file).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("metric", "value"), ("score", json.loads(Path(tunables_file).read_text())["speed"])]
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
