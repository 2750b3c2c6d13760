"""Green Button files: intervals of both directions, bills, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bess
from bess import InputError, Origin, baseline
from bess.profile import Bills, GappedSeries, Profile, read_consumption

CASES = Path(__file__).parent / "cases" / "usage"
BOTH = CASES / "green_button_both_directions.xml"
SUMMARIES = CASES / "green_button_bills.xml"
LOS_ANGELES = "America/Los_Angeles"


def changed(folder: Path, source: Path, *changes: tuple[str, str]) -> Path:
    text = source.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "usage.xml"
    path.write_text(text, "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_consumption(path, time_zone=LOS_ANGELES)
    return str(caught.value)


def test_forward_is_import_and_reverse_is_export() -> None:
    found = read_consumption(BOTH, time_zone=LOS_ANGELES)
    assert isinstance(found, GappedSeries)
    assert found.start is not None
    assert found.start.isoformat() == "2025-06-01T00:00:00-07:00"
    assert (found.steps, found.step_seconds) == (48, 3600)
    assert np.flatnonzero(np.isnan(found.energy_kwh)).tolist() == [30]
    assert found.export_kwh is not None
    assert_allclose([found.energy_kwh[0], found.export_kwh[12]], [0.6, 1.0])
    whole = baseline(BOTH, time_zone=LOS_ANGELES)
    assert whole.origin[30] == Origin.EXTRAPOLATED
    assert whole.export_kwh is not None
    assert_allclose(whole.export_kwh.sum(), 10.0)
    assert whole.assumptions[-1] == (
        "green_button_both_directions.xml: the meter also counts 10 kWh into the grid: the series "
        "is what the site took from the grid, its own generation not in it; do not count that "
        "solar again, or give a load measured without it"
    )


def test_without_a_zone_the_clock_is_the_files_standard_offset() -> None:
    found = read_consumption(BOTH)
    assert isinstance(found, GappedSeries)
    assert found.start is not None
    assert found.start.isoformat() == "2025-05-31T23:00:00-08:00"


def test_a_file_of_exports_alone_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, BOTH, ("<espi:flowDirection>1<", "<espi:flowDirection>19<"))
    assert "differs from another reading of the same time" in refusal(path)


def test_the_multiplier_and_the_kind_of_prefix_do_not_matter(tmp_path: Path) -> None:
    kilo = changed(
        tmp_path,
        BOTH,
        ("<espi:powerOfTenMultiplier>0<", "<espi:powerOfTenMultiplier>-3<"),
        ("espi:", "ns2:"),
        ("xmlns:espi=", "xmlns:ns2="),
    )
    found = read_consumption(kilo.rename(tmp_path / "a.xml"), time_zone=LOS_ANGELES)
    assert_allclose(found.energy_kwh[0], 0.6e-3)


def test_watts_are_mean_power(tmp_path: Path) -> None:
    watts = changed(tmp_path, BOTH, ("<espi:uom>72<", "<espi:uom>38<"))
    found = read_consumption(watts, time_zone=LOS_ANGELES)
    assert_allclose(found.energy_kwh[0], 0.6)


def test_net_readings_are_split_by_sign(tmp_path: Path) -> None:
    text = BOTH.read_text("utf-8")
    head, reverse = text[: text.rindex("<entry>")], text[text.rindex("<entry>") :]
    head = head.replace("<espi:flowDirection>1<", "<espi:flowDirection>4<")
    head = head.replace("<espi:value>600<", "<espi:value>-600<")
    net = tmp_path / "usage.xml"
    net.write_text(head + reverse, "utf-8")
    found = read_consumption(net, time_zone=LOS_ANGELES)
    assert isinstance(found, GappedSeries)
    assert found.export_kwh is not None
    assert_allclose(found.export_kwh[0], 0.6)
    assert found.energy_kwh[0] == 0


def test_bills_of_a_file_without_intervals() -> None:
    found = read_consumption(SUMMARIES, time_zone=LOS_ANGELES)
    assert isinstance(found, Bills)
    assert found.energy_kwh.tolist() == [620, 560]
    year = baseline(SUMMARIES, time_zone=LOS_ANGELES, typical="flat")
    assert_allclose(year.energy_kwh[: 31 * 24].sum(), 620, rtol=1e-12)


def test_a_profile_is_what_remains_of_one_direction(tmp_path: Path) -> None:
    text = SUMMARIES.read_text("utf-8")
    head, _, tail = text.partition("  <entry>")
    block = (
        "<entry><content><espi:IntervalBlock xmlns:espi='http://naesb.org/espi'>"
        + "".join(
            "<espi:IntervalReading><espi:timePeriod><espi:duration>3600</espi:duration>"
            f"<espi:start>{1735718400 + 3600 * k}</espi:start></espi:timePeriod>"
            f"<espi:value>{k}</espi:value></espi:IntervalReading>"
            for k in range(3)
        )
        + "</espi:IntervalBlock></content></entry>"
        "<entry><content><espi:ReadingType><espi:powerOfTenMultiplier>3"
        "</espi:powerOfTenMultiplier><espi:uom>72</espi:uom></espi:ReadingType></content></entry>"
    )
    path = tmp_path / "usage.xml"
    path.write_text(f"{head}{block}  <entry>{tail}", "utf-8")
    found = read_consumption(path, time_zone=LOS_ANGELES)
    assert isinstance(found, Profile)
    assert found.energy_kwh.tolist() == [0, 1, 2]


BAD_CHANGES = [
    (
        (("<espi:start>1748764800<", "<espi:start>soon<"),),
        "usage.xml: IntervalBlock 1, IntervalReading 2.start = 'soon': must be a whole number",
    ),
    (
        (("<espi:value>600<", "<espi:value>-600<"),),
        "usage.xml: IntervalBlock 1, IntervalReading 1.value = -600: must be an energy ≥ 0",
    ),
    (
        (("<espi:powerOfTenMultiplier>0<", "<espi:powerOfTenMultiplier>400<"),),
        "usage.xml: ReadingType 1.powerOfTenMultiplier = '400': must be from -12 to 12",
    ),
    (
        (("<espi:uom>72<", "<espi:uom>119<"),),
        "usage.xml: holds no electricity: neither interval readings nor bills in Wh",
    ),
    (
        (("/ReadingType/1", "/ReadingType/9"), ('rel="related"', 'rel="other"')),
        "usage.xml: IntervalBlock 1: has no link to a ReadingType: what it counts is not known",
    ),
    ((("</feed>", ""),), None),
]


@pytest.mark.parametrize(("changes", "expected"), BAD_CHANGES)
def test_bad_files_are_refused(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], expected: str | None
) -> None:
    path = changed(tmp_path, BOTH, *changes)
    if expected is None:
        with pytest.raises(InputError):
            read_consumption(path, time_zone=LOS_ANGELES)
    else:
        assert refusal(path) == expected


def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{k + 1} "{f"&e{k};" * 9}">' for k in range(11))
    path = tmp_path / "usage.xml"
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY e0 "ha">{levels}]><feed>&e11;</feed>',
        "utf-8",
    )
    assert refusal(path) == ("usage.xml: defines a document type, which no Green Button file needs")


def test_several_usage_points_are_refused(tmp_path: Path) -> None:
    text = BOTH.read_text("utf-8")
    point = text[text.index("  <entry>") : text.index("</entry>") + 8]
    path = tmp_path / "usage.xml"
    path.write_text(text.replace(point, point + point.replace("UsagePoint/1", "UsagePoint/2")))
    assert refusal(path) == "usage.xml: holds 2 usage points: give a file for each"


def test_a_file_that_is_absent_or_no_xml(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.xml") == (
        "absent.xml: cannot be read: No such file or directory"
    )
    path = tmp_path / "usage.xml"
    path.write_bytes(b"\xff\xfe\x00")
    assert refusal(path).startswith("usage.xml: is not XML")
    path.write_text('<?xml version="1.0" encoding="klingon"?><a/>')
    assert refusal(path).startswith("usage.xml: is not XML")
    assert bess.InputError is InputError
