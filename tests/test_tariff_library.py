"""Tariffs of every form, found in a folder by their file's name or by the ids they bear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from storage_requests import day, home

from bess.errors import InputError
from bess.storage import run_request

SURPLUS = {"chargeOnSurplus": True}
TOML = """
name = "Mine"
identifiers = ["mine-2025", "house"]
[[energy]]
name = "energy"
price = 0.25
"""
RECORD = {"label": "urdb-label", "name": "Flat", "energyratestructure": [[{"rate": 0.35}]]}


def cost(folder: Path, tariff: Any) -> float:
    response = run_request(day(SURPLUS, mainTariffId=tariff), home(1), folder)
    assert response.result.bill is not None
    return float(response.result.bill.total / response.result.import_kwh_ac.sum())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.toml").write_text(TOML, "utf-8")
    (tmp_path / "record.json").write_text(json.dumps(RECORD), "utf-8")
    response = {"items": [RECORD | {"label": "within"}]}
    (tmp_path / "response.json").write_text(json.dumps(response), "utf-8")
    (tmp_path / "settings.toml").write_text("[tool]\nname = 'x'\n", "utf-8")
    (tmp_path / "broken.toml").write_text("name = [", "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["own", "mine-2025", "house"])
def test_a_toml_is_found_by_its_name_and_its_identifiers(folder: Path, name: str) -> None:
    assert cost(folder, name) == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["record", "urdb-label", "response", "within"])
def test_a_urdb_record_is_found_by_its_name_and_its_label(folder: Path, name: str) -> None:
    assert cost(folder, name) == pytest.approx(0.35)


def test_the_ids_of_every_form_are_listed_where_none_is_meant(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        cost(folder, "7")
    assert str(caught.value) == (
        f"storage.mainTariffId = '7': no tariff has this id (in {folder}: house, mine-2025, "
        "own, record, response, urdb-label, within)"
    )


def test_a_toml_that_is_asked_for_by_name_says_what_is_wrong_with_it(folder: Path) -> None:
    with pytest.raises(InputError, match=r"broken\.toml: is not TOML"):
        cost(folder, "broken")
