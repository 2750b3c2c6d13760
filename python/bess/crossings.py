"""The meter's part of a dispatch: other imports and exports of the same battery."""

from __future__ import annotations

from typing import Final

import numpy as np

from bess._arrays import Floats
from bess.site import Site

__all__ = ["with_crossings"]

# Less of a step's energies crosses the meter by rounding alone.
_ROUNDING: Final = 1e-9


def with_crossings(site: Site, series: Floats, imports: Floats, exports: Floats) -> Floats:
    """The same battery's flows with imports and exports as near as can be to those given.

    ``series`` are the ten of a result, shape (10, steps). The sun serves the site, is sold or is
    curtailed to that end; no step imports and exports. Where that is impossible a step stays.
    """
    found = series.copy()
    bought, charged, _, to_site, sold, curtailed, _battery_to_site, battery_to_grid = series[:8]
    ratio = site.solar_dc_to_ac_efficiency
    sun = to_site + sold + curtailed * ratio
    needs = bought + to_site
    net = imports - exports
    net = np.where(abs(net) <= _ROUNDING * np.maximum(1.0, needs + sun), 0.0, net)

    buys = (net >= 0) & (battery_to_grid == 0)
    buying_sun = np.clip(needs + charged - net, 0.0, np.minimum(sun, needs))
    if site.import_limit_kwh is not None:
        buys &= needs - buying_sun + charged <= site.import_limit_kwh
    sells = (net < 0) & (charged == 0) & (sun >= needs)
    outlet = sun - needs if site.allow_solar_to_grid else np.zeros(site.steps)
    if site.export_limit_kwh is not None:
        outlet = np.minimum(outlet, np.maximum(site.export_limit_kwh - battery_to_grid, 0.0))
    selling = np.clip(-net - battery_to_grid, 0.0, np.maximum(outlet, 0.0))

    found[3] = np.where(buys, buying_sun, np.where(sells, needs, to_site))
    found[0] = np.where(buys | sells, np.maximum(needs - found[3], 0.0), bought)
    found[4] = np.where(buys, 0.0, np.where(sells, selling, sold))
    used = np.maximum(sun - found[3] - found[4], 0.0)
    found[5] = np.where(buys | sells, used / ratio, curtailed)
    found[8] = found[0] + found[1] - found[4] - found[7]
    found.flags.writeable = False
    return found
