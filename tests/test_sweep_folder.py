"""Sweeps in folders: the same answers, whole partitions only, and nothing lost or worked twice."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from small_sweeps import GRID, HOME, NIGHT, PRICES, TIGHT, rows_worked, same

import bess
from bess.sweeping import case, lanes
from bess.sweeping.fingerprint import fingerprint
from bess.sweeping.folder import Folder

SWEEP: dict[str, Any] = {
    "site": {"home": HOME, "tight": TIGHT},
    "batteries": {
        "capacity_kwh": np.linspace(0.1, 20, 42),
        "power_kw": np.tile([1.0, 4.0, 0.5], 14),
        "allow_grid_to_battery": np.tile([True, False], 21),
        "terminal_state_of_charge": ["initial", "initial", (0.2, 0.9)] * 14,
    },
    "strategy": [bess.Surplus(), NIGHT],
    "prices": PRICES,
    "metrics": ["cost", "import_kwh", "monthly_peaks_kw", "hours_full"],
}
"""Labels, numbers, flags, texts, and scenarios that fail."""
TEXTS = {"terminal_state_of_charge": str}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_NUMBERS_AT_ONCE", 64)
    monkeypatch.setattr(case, "_CHUNKS", 1)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_a_folder_has_the_bits_of_a_table_in_memory(workers: int, tmp_path: Path) -> None:
    found = bess.sweep(**SWEEP, out=tmp_path / "new" / "sweep", workers=workers)
    expected = bess.sweep(**SWEEP, workers=2)
    same(found, expected)
    assert expected["error"].any()
    assert found.best(5) == expected.best(5)
    assert found.row(2) == expected.row(2) | {"terminal_state_of_charge": "(0.2, 0.9)"}
    assert found.row(-1)["error"] == expected.row(-1)["error"]
    assert_frame_equal(found.to_pandas(), expected.to_pandas().astype(TEXTS))
    assert_frame_equal(found.to_arrow().to_pandas(), expected.to_arrow().to_pandas())
    assert found.missing == expected.missing == 0
    files = sorted(os.listdir(tmp_path / "new" / "sweep"))
    assert files[0] == "_sweep.json"
    assert len(files) == 1 + 2 + 2 * 3  # of those one by one, more


def test_partitions_do_not_depend_on_workers(tmp_path: Path) -> None:
    for workers in (1, 3):
        bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path / str(workers), workers=workers)
    names = sorted(os.listdir(tmp_path / "1"))
    assert names == sorted(os.listdir(tmp_path / "3"))
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_other_readers_of_parquet_find_the_same_table(tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.dataset as ds

    table = bess.sweep(**SWEEP, out=tmp_path).to_arrow().to_pandas()
    assert_frame_equal(pd.read_parquet(tmp_path), table)
    assert_frame_equal(ds.dataset(tmp_path).to_table().to_pandas(), table)


def test_the_same_call_again_works_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bess.sweep(**SWEEP, out=tmp_path)
    worked = rows_worked(monkeypatch)
    again = bess.sweep(**pickle.loads(pickle.dumps(SWEEP)), out=str(tmp_path))
    assert not worked
    same(again, first)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"site": TIGHT}, "site"),
        ({"batteries": {"capacity_kwh": [1.0, 3.0]}}, "batteries"),
        ({"batteries": {"capacity_kwh": [1.0, 2.0], "dc_coupled": False}}, "batteries"),
        ({"strategy": NIGHT}, "strategy"),
        ({"prices": bess.Prices(0.2)}, "prices"),
        ({"metrics": ["cost"]}, "metrics"),
        ({"costs": bess.Costs(per_kwh=3)}, "metrics, costs"),
        ({"prices": None}, "metrics, prices"),
    ],
)
def test_a_folder_of_another_sweep_is_refused(
    change: dict[str, Any], differs: str, tmp_path: Path
) -> None:
    given: dict[str, Any] = {
        "site": HOME,
        "batteries": {"capacity_kwh": [1.0, 2.0]},
        "strategy": bess.Surplus(),
        "prices": PRICES,
        "out": tmp_path,
    }
    bess.sweep(**given)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(bess.InputError) as caught:
        bess.sweep(**given | change)
    problem = caught.value.problems[0]
    assert problem.path == "out"
    assert problem.value == str(tmp_path)
    assert (
        problem.reason == f"holds another sweep, which differs in: {differs}; give another folder"
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_folders_that_cannot_be_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for given, reason in [
        (tmp_path, "must be a new or empty folder, or one of this sweep; it has file"),
        (file, "cannot be written: "),
        (file / "below", "cannot be written: "),
        (5, "must be the path of a folder"),
        ("", "must be the path of a folder"),
        ("s3://bucket/sweep", "must be the path of a folder"),
    ]:
        with pytest.raises(bess.InputError) as caught:
            bess.sweep(HOME, GRID, bess.Surplus(), out=given)
        assert caught.value.problems[0].path == "out"
        assert caught.value.problems[0].reason.startswith(reason)
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_fills_up_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path)
    (tmp_path / "part-000002.parquet").unlink()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(bess.InputError, match=r"out = .*: cannot be written: No space left"):
        bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path, workers=2)
    assert not list(tmp_path.glob(".tmp-*"))


def test_what_is_no_folder_of_a_sweep_is_not_read(tmp_path: Path) -> None:
    for given in (tmp_path, tmp_path / "none"):
        with pytest.raises(bess.InputError, match=r"folder = .*: is no folder of a sweep"):
            bess.read_sweep(given)
    bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path)
    manifest = tmp_path / "_sweep.json"
    whole = manifest.read_bytes()
    for damaged in (whole[:50], b"[]", b'{"format": 1}', b"5", b"\xff"):
        manifest.write_bytes(damaged)
        with pytest.raises(bess.InputError, match=r"has a damaged _sweep\.json"):
            bess.read_sweep(tmp_path)
        with pytest.raises(bess.InputError, match=r"has a damaged _sweep\.json"):
            bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path)
    manifest.write_text(json.dumps(json.loads(whole) | {"format": 9}))
    with pytest.raises(bess.InputError, match="is of format 9; this version reads format 1"):
        bess.read_sweep(tmp_path)


def test_partitions_cut_short_or_of_another_sweep_are_worked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path / "a", workers=1)
    bess.sweep(HOME, GRID, NIGHT, out=tmp_path / "b", workers=1)
    cut = tmp_path / "a" / "part-000001.parquet"
    cut.write_bytes(cut.read_bytes()[:-9])
    foreign = "part-000003.parquet"
    (tmp_path / "a" / foreign).write_bytes((tmp_path / "b" / foreign).read_bytes())
    (tmp_path / "a" / "part-000004.parquet").write_bytes(b"")
    assert bess.read_sweep(tmp_path / "a").missing == 3 * 64
    worked = rows_worked(monkeypatch)
    again = bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path / "a", workers=2)
    assert sorted(row for _, row in worked) == [*range(64, 128), *range(192, 320)]
    same(again, table)
    same(again, bess.sweep(HOME, GRID, bess.Surplus()))


def test_a_partition_that_rots_is_told_of_by_name(tmp_path: Path) -> None:
    table = bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path)
    file = tmp_path / "part-000002.parquet"
    whole = bytearray(file.read_bytes())
    for at in (200, 500, 900):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(bess.InputError, match=r"part-000002\.parquet .*delete it and sweep"):
            table.to_arrow()


def test_a_stored_table_reads_what_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bess.sweep(HOME, GRID, bess.Surplus(), prices=PRICES, out=tmp_path)
    asked: list[Any] = []
    read = Folder.read

    def noted(self: Folder, place: int, columns: Any = None) -> Any:
        asked.append((place, columns))
        return read(self, place, columns)

    monkeypatch.setattr(Folder, "read", noted)
    table = bess.read_sweep(tmp_path)
    assert len(table) == 8
    assert "cost" in table
    assert "profit" not in table
    assert not asked
    best = table.best(3)
    assert [columns for _, columns in asked[:6]] == [["cost"]] * 6
    assert len(asked) <= 9
    assert best == bess.sweep(HOME, GRID, bess.Surplus(), prices=PRICES).best(3)
    with pytest.raises(KeyError):
        table["profit"]
    with pytest.raises(bess.InputError, match="must be a column of numbers"):
        table.best(by="error")
    with pytest.raises(ValueError, match="read-only"):
        table["cost"][0] = 1.0
    with pytest.raises(IndexError):
        table.row(377)


def test_without_parquet_a_folder_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(bess.MissingExtraError, match=r"out= needs an extra: .*\[parquet\]"):
        bess.sweep(HOME, GRID, bess.Surplus(), out=tmp_path)
    with pytest.raises(bess.MissingExtraError, match=r"read_sweep\(\) needs an extra"):
        bess.read_sweep(tmp_path)


@pytest.mark.parametrize("form", ["pandas", "arrow", "mapping"])
def test_a_table_in_any_form_is_the_same_sweep(form: str, tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow as pa

    columns = {"capacity_kwh": [4.0, 8.0, 12.0], "power_kw": [2.0, 2.0, 3.0]}
    given = {
        "pandas": pd.DataFrame(columns),
        "arrow": pa.table(columns),
        "mapping": {name: np.array(values) for name, values in columns.items()},
    }[form]
    bess.sweep(HOME, columns, bess.Surplus(), prices=PRICES, out=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    table = bess.sweep(HOME, given, bess.Surplus(), prices=PRICES, out=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert table["power_kw"].tolist() == columns["power_kw"]


def test_fingerprints_are_those_of_values_not_of_objects() -> None:
    from bess.tariff import EnergyRate, FixedCharge

    tariff = bess.Tariff(
        "T", rates=(EnergyRate("e", price=0.5),), fixed_charges=(FixedCharge("m", 10.0),)
    )
    values = [
        HOME,
        TIGHT,
        tariff,
        NIGHT,
        bess.Surplus(),
        bess.Optimize(),
        bess.Optimize(gap=1e-3),
        bess.Follow(HOME.solar_kwh),
        bess.PeakShave(target_kw=3),
        PRICES,
        bess.Prices(0.2),
        bess.Prices(0.2, 0.1),
        bess.Costs(per_kwh=3),
        None,
        (1, "a"),
        {"a": 1},
        {"a": [1]},
        "a",
        b"a",
        1,
        1.0,
        True,
        frozenset({"a", "b"}),
        np.zeros(3),
        np.zeros(3, np.int32),
    ]
    prints = [fingerprint(value) for value in values]
    assert len(set(prints)) == len(values)
    bess.dispatch(HOME, bess.Battery(), NIGHT, tariff=tariff)
    _ = HOME.timeline.years, HOME.timeline.timestamps
    assert [fingerprint(value) for value in values] == prints
    assert [fingerprint(pickle.loads(pickle.dumps(value))) for value in values] == prints
