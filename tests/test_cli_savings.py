"""Savings and the page of charts on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from storage_requests import TARIFF, day, home
from test_cli import bess_command

from bess.commands.lifetime import with_savings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a year's request, its profiles and two tariffs."""
    for name, energy in home().items():
        (tmp_path / f"{name}.csv").write_text("kwh\n" + "\n".join(map(str, energy)))
    request = day({"chargeOnSurplus": True}, mainTariffId="new") | {
        "fromDateTime": "2025-01-01T00:00:00-08:00",
        "profileName": "One year",
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    (tmp_path / "new.json").write_text(json.dumps(TARIFF))
    (tmp_path / "old.json").write_text('{"importPrice": 0.3, "exportPrice": 0.0}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_savings_are_printed_and_written(folder: Path) -> None:
    arguments = ("--before-tariff", "old", "--capital-cost", 900, "--years", 4, "--every", 3)
    result = bess_command("run", "request.json", "--out", "out", "--discount-rate", 5, *arguments)
    assert result.exit_code == 0, result.output
    for words in (
        "Bills of the first year (USD)",
        "What brings the saving (USD)",
        "rate change",
        "Lifetime (whole USD)",
        "net present value at 5 % (USD)",
        "payback (years)",
        "years 1, 4 are dispatched and billed",
        "savings.json",
    ):
        assert words in result.output, words
    assert "…" not in result.output
    written = json.loads(Path("out/savings.json").read_text())
    assert written["dispatchedYears"] == [1, 4]
    assert len(written["byYear"]["savedByStorage"]) == 4
    assert written["cashFlows"][0] == -900
    first = written["firstYear"]["before"]
    assert len(first["billingPeriods"]) == 12
    total = sum(period["amount"] for period in first["billingPeriods"])
    assert total == pytest.approx(written["byYear"]["before"][0])
    assert written["npv"] == pytest.approx(
        sum(flow / 1.05**year for year, flow in enumerate(written["cashFlows"]))
    )


def test_without_being_asked_there_are_no_savings(folder: Path) -> None:
    assert "Lifetime" not in bess_command("run", "request.json", "--out", "out").output
    assert not Path("out/savings.json").exists()


def test_a_report_is_a_page_of_its_own(folder: Path) -> None:
    result = bess_command("run", "request.json", "--savings", "--report", "pages/year.html")
    assert result.exit_code == 0, result.output
    html = Path("pages/year.html").read_text("utf-8")
    assert "<title>One year</title>" in html
    assert 'id="cash-flow"' in html
    assert "pages: year.html" in result.output
    assert [path.name for path in Path("pages").iterdir()] == ["year.html"]
    plain = bess_command("run", "request.json", "--report", "plain.html")
    assert plain.exit_code == 0, plain.output
    assert 'id="cash-flow"' not in Path("plain.html").read_text("utf-8")


def test_where_the_report_cannot_be_written_the_error_stands_alone(folder: Path) -> None:
    Path("taken").write_text("a file")
    result = bess_command("run", "request.json", "--report", "taken/page.html")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: taken/page.html: cannot be written: ")
    assert result.stdout == ""


def test_without_the_extra_a_report_is_refused_before_anything_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    result = bess_command("run", "request.json", "--report", "page.html", "--out", "out")
    assert result.exit_code == 1
    assert result.stderr == "error: --report needs an extra: pip install 'bess-dispatch[plots]'\n"
    assert not Path("out").exists()


def test_a_wrong_option_is_named_as_the_requests_field(folder: Path) -> None:
    result = bess_command("run", "request.json", "--years", 0)
    assert result.exit_code == 1
    assert result.stderr == "error: savings.years = 0: must be a whole number from 1 to 100\n"


def test_options_replace_the_requests_own_savings_field_by_field() -> None:
    own = {"savings": {"capital_cost": 1, "discountRatePercent": 3}}
    asked = with_savings(own, False, {"capitalCost": 5.0, "years": None})
    assert asked == {"savings": {"discountRatePercent": 3, "capitalCost": 5.0}}
    assert with_savings(own, False, {"years": None}) is own
    assert with_savings({}, True, {}) == {"savings": {}}
    assert with_savings([], True, {}) == []
    assert with_savings({"savings": 3}, True, {}) == {"savings": 3}
