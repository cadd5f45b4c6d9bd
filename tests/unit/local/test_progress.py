"""What a build shows where there is no terminal."""

import io

from rich.console import Console

from benchhost.local.progress import PlainProgress, show_progress


def test_a_line_at_the_beginning_and_one_every_fifteen_seconds() -> None:
    now = [0.0]
    lines: list[str] = []
    progress = PlainProgress(lines.append, clock=lambda: now[0])
    progress.phase("Compiling Go packages", total=2737)
    for second in range(32):
        now[0] = float(second)
        progress.advance_to(second * 10)
    assert lines == [
        "Compiling Go packages (2737 steps) …",
        "Compiling Go packages: 150 of 2737, 15 s so far",
        "Compiling Go packages: 300 of 2737, 30 s so far",
    ]


def test_without_a_total_only_the_time_is_told() -> None:
    now = [0.0]
    lines: list[str] = []
    progress = PlainProgress(lines.append, clock=lambda: now[0])
    progress.phase("Waiting", total=None)
    now[0] = 20.0
    progress.advance_to(0)
    assert lines == ["Waiting …", "Waiting, 20 s so far"]


def test_a_pipe_gets_plain_lines() -> None:
    stream = io.StringIO()
    with show_progress(Console(file=stream)) as progress:
        progress.phase("Compiling [x]", total=3)
        progress.say("Built.")
    assert stream.getvalue() == "Compiling [x] (3 steps) …\nBuilt.\n"


def test_a_terminal_gets_a_bar_with_counts() -> None:
    stream = io.StringIO()
    with show_progress(Console(file=stream, force_terminal=True, width=100)) as progress:
        progress.phase("Compiling", total=3)
        progress.advance_to(2)
        progress.say("Half of it")
    assert "Half of it" in stream.getvalue()
    assert "Compiling" in stream.getvalue()
