"""Requests whose consumption is bills or has gaps: baselined by themselves, and it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bess.errors import InputError
from bess.storage import StorageResponse, run_request

CASES = Path(__file__).parent / "cases" / "usage"
BILLS = [("2025-01-01", "2025-02-01", 620), ("2025-02-01", "2025-03-01", 560)]


def run(consumption: Any, typical: str | None = None, **profiles: Any) -> StorageResponse:
    """The answer for a home in Los Angeles whose battery has nothing to do."""
    request: dict[str, Any] = {
        "fromDateTime": "2025-01-01T00:00:00-08:00",
        "timeZone": "America/Los_Angeles",
        "consumption": {"profileId": "home"},
        "storage": {"dispatchStrategy": {"chargeOnSurplus": True}, "batteryInitialSoc": 0.1},
    }
    if typical:
        request["consumption"]["typicalProfileId"] = typical
    if "solar" in profiles:
        request["solar"] = {"profileId": "solar"}
    return run_request(request, profiles={"home": consumption, **profiles})


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        run(*arguments, **options)
    return str(caught.value)


def test_bills_last_a_year_of_hours_and_keep_their_totals() -> None:
    answer = run(BILLS)
    usage = answer.flows["grid_to_site_kwh_ac"]
    assert len(usage) == 8760
    assert_allclose(usage[:744].sum(), 620, rtol=1e-9)
    assert_allclose(usage[744 : 744 + 672].sum(), 560, rtol=1e-9)
    assert (
        "consumption: bills are spread in the shape of the built-in residential shape, without a "
        "season (no typical profile given)"
    ) in answer.assumptions
    assert (
        "consumption: 1,416 of 8,760 steps are shaped from bills, 7,344 extrapolated"
    ) in answer.assumptions


def test_bills_take_the_step_and_the_length_of_the_solar_profile() -> None:
    solar = {
        "dataSeries": [0.0] * 96 * 31,
        "duration": 900_000,
        "fromDateTime": "2025-01-01T00:00-08:00",
    }
    usage = run(BILLS, solar=solar).flows["grid_to_site_kwh_ac"]
    assert len(usage) == 96 * 31
    assert_allclose(usage.sum(), 620, rtol=1e-9)


def test_reading_data_of_months_are_bills() -> None:
    rows = [
        {"from": first, "to": last, "quantityUnit": "kWh", "quantityValue": str(energy)}
        for first, last, energy in BILLS
    ]
    usage = run({"readingData": rows}).flows["grid_to_site_kwh_ac"]
    assert_allclose(usage, run(BILLS).flows["grid_to_site_kwh_ac"], rtol=1e-12)


def test_a_typical_profile_is_looked_up_by_its_id_or_is_a_built_in_one() -> None:
    typical = {"dataSeries": (np.arange(8760) % 24).tolist()}
    usage = run(BILLS, "neighbour", neighbour=typical).flows["grid_to_site_kwh_ac"]
    assert_allclose(usage[:24] / usage[23], np.arange(24) / 23, rtol=1e-9)
    assert len(np.unique(run(BILLS, "flat").flows["grid_to_site_kwh_ac"].round(9)[:744])) == 1


def test_a_series_with_gaps_is_filled() -> None:
    given = np.ones(8760)
    given[100:120] = np.nan
    answer = run(given)
    assert_allclose(answer.flows["grid_to_site_kwh_ac"], 1.0, rtol=1e-9)
    assert "consumption: profile home: gaps follow the series' own averages" in answer.assumptions
    document = {"dataSeries": [None if np.isnan(value) else value for value in given]}
    assert_allclose(run(document).flows["grid_to_site_kwh_ac"], 1.0, rtol=1e-9)


def test_a_typical_profile_that_is_not_needed_is_said_not_to_be_used() -> None:
    answer = run(np.ones(8760), "flat")
    assert "consumption: profile home is whole: no typical profile is used" in answer.assumptions


def test_files_of_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    for source, name in (("green_button_bills.xml", "home.xml"), ("bills.csv", "home.csv")):
        (tmp_path / name).write_bytes((CASES / source).read_bytes())
        request = {
            "fromDateTime": "2025-01-01T00:00:00-08:00",
            "timeZone": "America/Los_Angeles",
            "consumption": {"profileId": "home"},
            "storage": {"dispatchStrategy": {"chargeOnSurplus": True}},
        }
        answer = run_request(request, profiles=tmp_path)
        assert_allclose(answer.flows["grid_to_site_kwh_ac"][:744].sum(), 620, atol=3)
        (tmp_path / name).unlink()


def test_what_is_wrong_is_said_in_the_words_of_the_request() -> None:
    assert refusal(BILLS, "bdew-x") == (
        "consumption.typicalProfileId = 'bdew-x': must be one of bdew-h25, bdew-g25, bdew-l25"
    )
    gaps = np.array([1.0, np.nan, 1.0])
    assert refusal(gaps, "bdew-x") == refusal(BILLS, "bdew-x")
    assert refusal(BILLS, "nobody").startswith(
        "consumption.typicalProfileId = 'nobody': no profile has this id"
    )
    assert refusal([("2025-01-01", "2025-02-01", -5)]) == (
        "profile home[0][2] = -5: must be a finite energy ≥ 0, in kWh"
    )
    assert refusal(BILLS, solar=[1.0, None]).endswith(
        "is missing: bess.baseline makes a step series of bills and of a series with gaps"
    )
