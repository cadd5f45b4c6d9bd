"""Measure SQLite's throughput under the pragmas in the environment, and print the metrics as ``name=value`` lines.

Small transactions of one insert and one look-up each, on a table with an index, as an application would do them.
"""

import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

TRANSACTIONS = 500
"""Enough for about a second with the slowest settings on a laptop's disk."""
ROWS_BEFORE = 20_000
"""Rows that are there before the clock starts: more than the smallest cache holds."""
PRAGMAS = ("journal_mode", "synchronous", "cache_size")


def main() -> None:
    """Measure once."""
    pragmas = {name: os.environ[name] for name in PRAGMAS if name in os.environ}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        seconds, latencies = measure(Path(folder) / "bench.sqlite", pragmas)
    latencies.sort()
    sys.stdout.write(f"ops_per_second={2 * TRANSACTIONS / seconds:.1f}\n")
    sys.stdout.write(f"p99_milliseconds={latencies[int(0.99 * len(latencies))] * 1000:.3f}\n")


def measure(database: Path, pragmas: dict[str, str]) -> tuple[float, list[float]]:
    """Seconds for all transactions, and for each."""
    connection = sqlite3.connect(database, isolation_level=None)
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")
    fill(connection)
    latencies = []
    begin = time.perf_counter()
    for number in range(TRANSACTIONS):
        start = time.perf_counter()
        connection.execute("BEGIN")
        connection.execute("INSERT INTO item (key, value) VALUES (?, ?)", (spread(number), f"value {number}"))
        connection.execute("SELECT value FROM item WHERE key >= ? LIMIT 1", (spread(3 * number),)).fetchone()
        connection.execute("COMMIT")
        latencies.append(time.perf_counter() - start)
    seconds = time.perf_counter() - begin
    connection.close()
    return seconds, latencies


def spread(number: int) -> float:
    """Scattered over 0 to 1 and the same in every trial: multiples of the golden ratio."""
    return number * 0.6180339887498949 % 1.0


def fill(connection: sqlite3.Connection) -> None:
    """Make the table and the rows that are there before the clock starts."""
    connection.execute("CREATE TABLE item (key REAL, value TEXT)")
    connection.execute("CREATE INDEX item_key ON item (key)")
    connection.execute("BEGIN")
    rows = ((spread(number), f"value {number} " * 5) for number in range(ROWS_BEFORE))
    connection.executemany("INSERT INTO item (key, value) VALUES (?, ?)", rows)
    connection.execute("COMMIT")


if __name__ == "__main__":
    main()
