"""The page: whole by itself, escaped, the same each time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from benchhost.report.analysis import Analysis, analyse
from benchhost.report.figures import draw_png, draw_svgs
from benchhost.report.page import to_page
from support.stored_experiment import Ran, analysed, results

EVIL = "<script>alert(1)</script> & $x_1$ 'q' \"r\""
PAIRED = [
    Ran(cache, 100 + cache / 50 + 3 * epoch % 7 + turn + cache * epoch % 7 / 9, epoch)
    for epoch in range(1, 6)
    for cache in (100, 500)
    for turn in (0, 1)
]


class Reader(HTMLParser):
    """Collects elements, attributes, the text outside style and what is not closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def page_of(analysis: Analysis) -> str:
    return to_page(analysis, draw_svgs(analysis))


def read(analysis: Analysis) -> Reader:
    return Reader(page_of(analysis))


def test_the_page_needs_nothing_else() -> None:
    page = page_of(analysed(PAIRED))
    reader = Reader(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    for _, name, value in reader.attributes:
        assert not name.startswith("on")
        if name.split(":")[-1] in {"href", "src", "srcset", "data"}:
            assert value.startswith("#")
    # Names of namespaces are no addresses to load from; url() in styles must stay inside.
    assert not re.search(r"@import|url\((?!#)", page)
    assert {value for _, name, value in reader.attributes if value.startswith("http")} <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_every_reference_inside_the_page_has_its_target_once() -> None:
    reader = read(analysed(PAIRED))
    assert len(set(reader.ids)) == len(reader.ids)
    targets = {value[1:] for _, name, value in reader.attributes if name.endswith("href")}
    targets |= {found for _, _, value in reader.attributes for found in re.findall(r"url\(#([^)]+)\)", value)}
    assert targets
    assert targets <= set(reader.ids)


def test_names_of_others_are_escaped_everywhere() -> None:
    found = results(PAIRED, metric=EVIL)
    rows = [replace(row, tunables={EVIL: EVIL}) for row in found.trials]
    evil = analyse(replace(found, experiment_id=EVIL, trials=rows), None)
    reader = read(evil)
    assert "script" not in reader.tags
    # Title, heading, axis and table have it as it is written; dollar signs are no formula.
    assert reader.text.count(EVIL) >= 4
    assert draw_png(evil).startswith(b"\x89PNG")


def test_the_same_input_gives_the_same_bytes() -> None:
    assert page_of(analysed(PAIRED)) == page_of(analysed(PAIRED))
    assert draw_png(analysed(PAIRED)) == draw_png(analysed(PAIRED))


def test_what_a_reader_finds_on_it() -> None:
    text = read(analysed([*PAIRED, Ran(900, None, 5), Ran(77, 90.0, None)])).text
    for words in (
        "Better beyond placement noise",
        "paired t-test on 5 placements",
        "Score by trial",
        "ops_per_second (higher is better)",
        "h epoch 3",
        "placement unknown",
        "best trial",
        "failed",
        "seconds",
        "of the variance is between placements",
        "Standard_D2s_v5",
        "VM-hours",
        "These are no prices",
        "Bonferroni",
        "22 trials (1 failed), 4 configurations and 5 known placements of 1 host.",
        "Of 1 trial with a score the placement is unknown",
    ):
        assert words in text.replace("\u00a0", " "), words


def test_lower_is_better_is_said() -> None:
    assert "ops_per_second (lower is better)" in read(analysed(PAIRED, direction="min")).text


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param([Ran(100, None, None)], id="one-that-failed"),
        pytest.param([Ran(100, 5.0, None)], id="one-of-unknown-placement"),
        pytest.param([Ran(100, 5.0, 1)] * 3, id="equal-scores"),
        pytest.param([Ran(number, float(number), number) for number in range(1, 90)], id="very-many-placements"),
        pytest.param([Ran(number % 30, float(number), 1) for number in range(1, 200)], id="very-many-trials"),
    ],
)
def test_a_page_of_little_or_much_is_still_a_page(trials: list[Ran]) -> None:
    analysis = analysed(trials)
    assert "Too little data" in read(analysis).text
    assert draw_png(analysis).startswith(b"\x89PNG")


def test_without_a_history_it_says_what_is_missing() -> None:
    text = read(analyse(results(PAIRED), None)).text
    assert "There is no history of the hosts" in text
    assert "nothing is known of the hosts" in text
