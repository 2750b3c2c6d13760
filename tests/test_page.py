"""The page of a dispatch: what it says, and that a browser without a network draws all of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bills import hours, make, site
from test_device import DEVICE

import bess
from bess.page import page
from bess.tariff import EnergyRate

CLOCK = np.arange(8760) % 24
SITE = site(
    np.where((CLOCK >= 18) & (CLOCK < 21), 2.0, 0.5),
    solar_kwh=np.maximum(0.0, 3.0 - abs(CLOCK - 12.0)),
    time_zone="Europe/London",
)
TARIFF = make(
    EnergyRate("peak", ("e",), price=0.5, times=(hours(18, 19, 20),)),
    EnergyRate("rest", ("e",), price=0.2, times=(hours(*set(range(24)) - {18, 19, 20}),)),
    currency="GBP",
    ignored=("reactive power: not billed",),
)
CHARTS = ("bills", "cash-flow", "week", "state-of-charge", "duration", "prices")
HOSTILE = "</script><script>document.title = 'taken'</script> & <b>home"


@pytest.fixture(scope="module")
def savings() -> bess.Savings:
    return bess.savings(
        SITE, bess.Battery(), bess.Surplus(), before_tariff=TARIFF, years=5, capital_cost=900
    )


def body(html: str) -> str:
    return html[html.index("<body>") :]


def test_the_page_says_the_figures_the_assumptions_and_what_is_not_billed(
    savings: bess.Savings,
) -> None:
    html = page(savings.result, savings, title=HOSTILE, assumptions=["sun <always> shines"])
    text = body(html)
    for words in (
        f"{savings.npv:,.2f}",
        f"{savings.cash_flows[1]:,.2f}",
        "sun &lt;always&gt; shines",
        "reactive power: not billed",
        "&lt;/script&gt;&lt;script&gt;",
        "01 Jan 2025 to 31 Dec 2025, 8,760 steps of 60 min",
        "<h2>Policies missed</h2><p>None.</p>",
    ):
        assert words in text, words
    assert html.count("<script>document.title") == 0
    assert [f'id="{name}"' in text for name in CHARTS] == [True] * 6
    assert not re.search(r'(src|href)="(?!data:)', text)


def test_without_a_tariff_it_shows_energy_alone() -> None:
    result = bess.dispatch(SITE, bess.Battery(), bess.Surplus())
    text = body(page(result))
    assert "There is no tariff" in text
    assert [f'id="{name}"' in text for name in CHARTS] == [False, False, True, True, True, False]


def test_with_prices_it_has_bills_and_a_map_of_prices() -> None:
    day = site(np.ones(24))
    prices = bess.Prices(import_price=np.linspace(0.1, 0.4, 24))
    text = body(page(bess.dispatch(day, bess.Battery(), bess.Surplus(), prices=prices)))
    assert "bill, load alone (money)" in text
    assert "load and solar" not in text
    assert 'id="prices"' in text
    assert 'id="cash-flow"' not in text


def test_policies_that_were_missed_are_listed() -> None:
    schedule = {"frequency": "once", "date_times": ["2025-02-01T00:00Z"]}
    policy = {"schedule": schedule, "minimum_state_of_charge": 99, "maximum_state_of_charge": 100}
    device = bess.BessDevice.model_validate(DEVICE | {"policies": [policy]})
    dark = site(np.ones(24 * 40))
    result = bess.dispatch(dark, device, bess.Surplus(), allow_grid_to_battery=False)
    assert len(result.violations) == 1
    assert f'<li class="missed">{result.violations[0]}</li>' in page(result)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # Containers run as root, where Chromium's sandbox does not; the page is our own.
        opened = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_browser_without_a_network_draws_every_chart(
    browser: Any, savings: bess.Savings, tmp_path: Path, width: int, height: int
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(savings.result, savings, title=HOSTILE), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(f"error: {error}"))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    for name in CHARTS:
        drawn = tab.locator(f"#{name} svg.main-svg").first
        drawn.wait_for(state="visible")
        box = drawn.bounding_box()
        assert box["width"] > 0.7 * min(width - 60, 1152), name
        assert box["height"] > 250, name
        marks = f"#{name} .point, #{name} .js-line, #{name} .hm image"
        assert tab.locator(marks).count() > 0, f"{name} has axes and no data"
    assert tab.title() == HOSTILE
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert asked == [file.as_uri()]
    tab.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 50_000
    context.close()
