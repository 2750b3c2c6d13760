"""Bills of nine URDB tariffs, with and without solar, as PySAM 7.1.1 (NREL) worked them out.

That engine's year has 1 January on a Monday, no holidays and no daylight saving time; it bills no
coincident and no reactive demand and knows no ratchets.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bess import Site, bill
from bess.tariff import Tariff

CASES = range(18)
LOADS = {
    "sam_default_commercial": "sam_default_commercial_load_60min.csv",
    "sam_default_residential": "sam_default_residential_load_phoenix_60min.csv",
}
METERING = {"net_metering_kwh_credit": "net_metering", "net_billing": "net_billing"}


def column(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    with path.open() as lines:
        return np.array([float(row[0]) for row in list(csv.reader(lines))[1:]])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solar", [False, True], ids=["load alone", "with solar"])
def test_every_month_agrees_to_a_cent(shared_data: Path, case: int, solar: bool) -> None:
    published = json.loads((shared_data / "cases/pysam_utilityrate5_bills.json").read_text("utf-8"))
    known = published["cases"][case]
    record = json.loads((shared_data / f"tariffs/urdb/{known['tariff']}.json").read_text("utf-8"))
    load = column(shared_data / "loads" / LOADS[known["load"]])
    profile = column(shared_data / "pv/phoenix_tmy_pvwattsv8_kwac_per_kwdc_60min.csv")
    site = Site(
        load_kw=load,
        solar_kw=profile * known["pv_kwdc"] if solar else None,
        start="2018-01-01T00:00-07:00",
    )
    tariff = Tariff.from_urdb(record, metering=METERING[known["metering"]])  # type: ignore[arg-type]
    ours = bill(site, tariff)
    theirs = known["monthly_w_sys" if solar else "monthly_wo_sys"]
    kinds = ours.by_kind()
    energy = np.sum([kinds.get(k, [0.0] * 12) for k in ("energy", "credit", "export")], axis=0)
    assert energy == pytest.approx(np.array(theirs["energy"]), abs=0.01)
    demand = np.add(theirs["demand_fixed"], theirs["demand_tou"])
    assert kinds.get("demand", [0.0] * 12) == pytest.approx(demand, abs=0.01)
    assert kinds["fixed"] == pytest.approx(theirs["fixed"], abs=0.01)
    assert ours.monthly == pytest.approx(theirs["total"], abs=0.01)
    annual = known["annual_w_sys" if solar else "annual_wo_sys"]
    assert ours.total == pytest.approx(annual, abs=0.12)
