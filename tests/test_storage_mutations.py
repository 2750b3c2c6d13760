"""Mutated requests and profiles: run, or refused with an InputError; nothing else comes out."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_requests import FIXED_SCHEDULE, OPTIMIZED, day, home
from test_device import DEVICE
from test_device_mutations import anything, paths

from bess.errors import InfeasibleError, InputError
from bess.profile import read_profile
from bess.storage import StorageRequest, run_request

SCHEDULE = FIXED_SCHEDULE["storage"]["dispatchStrategy"]
FULL: dict[str, Any] = day(
    SCHEDULE,
    batteryNameplateChargePowerKwDc="3",
    batteryNameplateDischargePowerKwDc=2.5,
    batteryMinSoc=0.1,
    batteryInitialSoc="0.5",
    batteryTerminalSoc=[0.2, 0.9],
    batteryDcCoupled="true",
    solarDcToAcEfficiency=0.96,
    allowGridToBattery=False,
    exportLimitKwhAc=[1.0] * 24,
    importLimitKwhAc=10,
    inverterLimitKwAc="2.5",
    tariffPropertyInputs=[{"keyName": "a", "dataValue": 1}],
    policies=DEVICE["policies"],
)
WITH_DEVICES = day({"chargeOnSurplus": True}, devices=[DEVICE]) | {"profileName": "x"}
SAMPLES = (OPTIMIZED, FULL, WITH_DEVICES)

words = st.sampled_from(
    ["0.5", "1e3", "-1", "nan", "true", "False", "initial", "AC", "2025-01-06T00:00:00-08:00"]
)
values = anything | words | st.just(...)
mutations = st.sampled_from(SAMPLES).flatmap(
    lambda sample: st.tuples(
        st.just(sample),
        st.lists(st.tuples(st.sampled_from(paths(sample)), values), min_size=1, max_size=3),
    )
)


def mutated(sample: dict[str, Any], changes: list[Any]) -> dict[str, Any]:
    result = copy.deepcopy(sample)
    for path, value in changes:
        node: Any = result
        try:
            for part in path[:-1]:
                node = node[part]
            if value is ...:
                del node[path[-1]]
            else:
                node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    return result


@given(mutations)
def test_mutated_requests_are_read_or_refused(mutation: Any) -> None:
    request = mutated(*mutation)
    try:
        asked = StorageRequest.model_validate(request)
    except InputError as error:
        problems = error.problems
    else:
        json.dumps(asked.model_dump(mode="json", by_alias=True))
        return
    assert problems
    assert all(problem.reason and str(problem) for problem in problems)


@settings(max_examples=150)
@given(mutations)
def test_mutated_requests_run_or_are_refused(mutation: Any) -> None:
    request = mutated(*mutation)
    if isinstance(request.get("storage"), dict):
        request["storage"].pop("mainTariffId", None)
        strategy = request["storage"].get("dispatchStrategy")
        if isinstance(strategy, dict) and strategy.get("optimize") is True:
            strategy["optimize"] = False
            strategy["chargeOnSurplus"] = True
    try:
        response = run_request(request, profiles=home(1))
    except (InputError, InfeasibleError):
        return
    json.dumps(response.model_dump(by_alias=True), allow_nan=False)


DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "fromDateTime": "2025-01-06T00:00:00-08:00",
        "timeZone": "America/Los_Angeles",
        "duration": 3_600_000,
        "quantityUnit": "kWh",
        "dataSeries": [1.0, "2", 3],
        "exportDataSeries": [0],
    },
    {
        "readingData": [
            {"from": f"2025-01-06T0{k}:00Z", "to": f"2025-01-06T0{k + 1}:00Z", "value": k}
            for k in range(3)
        ]
    },
    {"baselineMeasures": [{"i": 1, "v": 0.5}, {"i": 2, "v": 0.5}]},
)


@given(
    st.sampled_from(DOCUMENTS).flatmap(
        lambda sample: st.tuples(
            st.just(sample),
            st.lists(st.tuples(st.sampled_from(paths(sample)), values), max_size=3),
        )
    )
)
def test_mutated_profile_json_is_read_or_refused(mutation: Any) -> None:
    try:
        profile = read_profile(mutated(*mutation))
    except InputError:
        return
    assert profile.energy_kwh.min() >= 0


cells = st.sampled_from(
    ["1", "-1", "", "nan", "1e400", "2025-01-06 00:00", "2025-01-06T01:00Z", "1/13/2025 0:00",
     "13/1/2025 12:00 AM", "31.02.2025 0:00", "00:30", "kwh", "load kW", "end", "x", '"', "#",
     "1,5"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=3), max_size=5),
    delimiter=st.sampled_from(",;\t"),
    role=st.sampled_from(["load", "solar", None]),
    time_zone=st.sampled_from([None, "America/Los_Angeles"]),
)
def test_any_table_is_read_or_refused(
    tmp_path: Path, rows: list[list[str]], delimiter: str, role: Any, time_zone: str | None
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    try:
        profile = read_profile(path, role=role, time_zone=time_zone)
    except InputError as error:
        problems = error.problems
    else:
        assert profile.energy_kwh.min() >= 0
        return
    assert all(problem.path.startswith("table.csv") for problem in problems)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        StorageRequest.model_validate_json(content)
    except InputError:
        return
