"""Malformed tariffs of every form: each is refused with the very message that is written down."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from tariffs import rate, tariff

from bess.errors import InputError
from bess.tariff import Tariff, load_export_rates, load_tariff

CASES = tomllib.loads(
    (Path(__file__).parent / "cases" / "malformed_tariffs.toml").read_text("utf-8")
)["case"]
EVENINGS = [[int(hour >= 18) for hour in range(24)]] * 12
RECORD = {
    "energyratestructure": [[{"rate": 0.1}], [{"rate": 0.2}]],
    "energyweekdayschedule": EVENINGS,
    "energyweekendschedule": EVENINGS,
}


def load(form: str, source: str, file: Path) -> None:
    if form == "toml":
        Tariff.from_toml(source)
    elif form == "urdb":
        Tariff.from_urdb({**RECORD, **json.loads(source)})
    elif form == "rate":
        load_tariff(tariff(rate("sound"), rate("a") | json.loads(source)))
    elif form == "json":
        load_tariff(json.loads(source))
    else:
        file.write_text(source, "utf-8")
        load_export_rates(file) if form == "export rates" else load_tariff(file)


@pytest.mark.parametrize("case", CASES, ids=[f"{c['form']} {i}" for i, c in enumerate(CASES)])
def test_a_malformed_tariff_is_refused_in_these_words(tmp_path: Path, case: dict[str, str]) -> None:
    file = tmp_path / "given.csv"
    with pytest.raises(InputError) as caught:
        load(case["form"], case["source"], file)
    assert str(caught.value).replace(str(file), "{file}") == case["message"]


def test_there_are_many_of_every_form() -> None:
    count = Counter(case["form"] for case in CASES)
    assert sum(count.values()) >= 60
    assert min(count.values()) >= 5
    assert len({(case["form"], case["source"]) for case in CASES}) == len(CASES)
