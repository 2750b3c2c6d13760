"""Published cases, run as requests: each folder of ``cases`` names its source and its tolerance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bess.storage import run_request

CASES = Path(__file__).parent / "cases"


def test_the_german_home_of_a_published_tutorial(shared_data: Path) -> None:
    folder = CASES / "oemof_home_pv"
    case = json.loads((folder / "case.json").read_text("utf-8"))
    response = run_request(
        json.loads((folder / "request.json").read_text("utf-8")),
        profiles=shared_data / "loads",
        tariffs={"flat": {"importPrice": 0.30, "exportPrice": 0.06}},
    )
    result = response.result
    money, percent = case["tolerance"]["money"], case["tolerance"]["percent"]
    assert result.site.steps == 8784
    assert 0.30 * result.import_kwh_ac.sum() == pytest.approx(case["bought"], abs=money)
    assert 0.06 * result.export_kwh_ac.sum() == pytest.approx(case["sold"], abs=money)
    assert response.cost == pytest.approx(case["bought"] - case["sold"], abs=2 * money)
    own = 1 - result.import_kwh_ac.sum() / result.site.load_kwh.sum()
    assert 100 * own == pytest.approx(case["autarky_percent"], abs=percent)
