"""Other flows of the same stored energies: what crosses the meter, and where it comes from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.site import Site

__all__ = ["at_once", "taken_where_exclusive", "with_crossings"]

# Of two opposite flows the smaller counts if it is more than this part of the largest flow.
_AT_ONCE: Final = 1e-7
# Less of a step's energies crosses the meter by rounding alone.
_ROUNDING: Final = 1e-9


def at_once(series: Floats) -> NDArray[np.uint8]:
    """The steps that charge and discharge, or import and export."""
    imports, charge = series[0] + series[1], series[1] + series[2]
    exports, discharge = series[4] + series[7], series[6] + series[7]
    little = _AT_ONCE * max(1e-3, float(series[:8].max()))
    both = np.maximum(np.minimum(imports, exports), np.minimum(charge, discharge))
    found: NDArray[np.uint8] = (both > little).astype(np.uint8)
    return found


def taken_where_exclusive(
    flows: tuple[Floats, Floats], others: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Flows of a site and its devices, others' in the steps in which they do two things at once.

    Both lead to the same stored energies: arrays of shape (10, steps) and (devices, 5, steps).
    """
    series, of_devices = flows
    both = np.minimum(series[0] + series[1], series[4] + series[7]) > 0
    charge, discharge = of_devices[:, :2].sum(axis=1), of_devices[:, 2:4].sum(axis=1)
    both |= (np.minimum(charge, discharge) > 0).any(axis=0)
    found = np.where(both, others[0], series), np.where(both, others[1], of_devices)
    for array in found:
        array.flags.writeable = False
    return found


def with_crossings(site: Site, series: Floats, imports: Floats, exports: Floats) -> Floats:
    """The same battery's flows with imports and exports as near as can be to those given.

    ``series`` are the ten of a result, shape (10, steps). The sun serves the site, is sold or is
    curtailed to that end; no step imports and exports. Where that is impossible a step stays.
    """
    found = series.copy()
    bought, charged, _, to_site, sold, curtailed, battery_to_site, battery_to_grid = series[:8]
    ratio = site.solar_dc_to_ac_efficiency
    sun = to_site + sold + curtailed * ratio
    needs = bought + to_site
    output = sun
    if site.inverter_limit_kwh is not None:
        room = site.inverter_limit_kwh - battery_to_site - battery_to_grid
        output = np.minimum(sun, np.maximum(room, 0.0))
    net = imports - exports
    net = np.where(abs(net) <= _ROUNDING * np.maximum(1.0, needs + sun), 0.0, net)

    buys = (net >= 0) & (battery_to_grid == 0)
    buying_sun = np.clip(needs + charged - net, 0.0, np.minimum(output, needs))
    if site.import_limit_kwh is not None:
        buys &= needs - buying_sun + charged <= site.import_limit_kwh
    sells = (net < 0) & (charged == 0) & (output >= needs)
    outlet = output - needs if site.allow_solar_to_grid else np.zeros(site.steps)
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
