"""The numbers of docs/method.md, and its figure."""

from __future__ import annotations

import doctest
import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.highs
def test_the_numbers_of_the_method_are_found() -> None:
    found = doctest.testfile(str(DOCS / "method.md"), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0


def test_the_figure_is_drawn_from_results() -> None:
    drawn = ElementTree.fromstring(runpy.run_path(str(DOCS / "method_figure.py"))["draw"]())
    kept = ElementTree.parse(DOCS / "method.svg").getroot()
    assert [part.tag for part in drawn.iter()] == [part.tag for part in kept.iter()]
