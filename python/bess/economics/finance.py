"""What a series of yearly cash flows is worth: present value, payback, internal rate of return.

Flow 0 falls at the start of year 1, flow ``y`` at the end of year ``y``; rates are yearly and
fractions: 0.05 is 5 %.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bess._arrays import Floats
from bess.errors import needs_extra

__all__ = ["internal_rate_of_return", "net_present_value", "payback_years"]

# 1 / (1 + rate) between which rates are looked for: from -99 % to far beyond any investment's.
_DISCOUNTS: Final = np.concatenate((np.geomspace(1e-9, 1, 4001), np.geomspace(1, 100, 1001)[1:]))


def net_present_value(flows: Floats, rate: float) -> float:
    """The flows' value at the start of year 1, at a discount rate above -1.

    >>> net_present_value(np.array([-100.0, 60.0, 72.0]), 0.2)
    0.0
    """
    return float(_discounted(flows, rate).sum())


def payback_years(flows: Floats, rate: float = 0.0) -> float | None:
    """Years after which the cumulative flow is at least 0 and stays so; None where it ends below.

    Within a year the flow comes evenly, so the answer has a fraction. With a ``rate`` flows are
    discounted to the start of year 1 first.

    >>> payback_years(np.array([-100.0, 40.0, 40.0, 40.0]))
    2.5
    """
    cumulative = np.cumsum(_discounted(flows, rate))
    # What only rounding keeps from 0 is 0.
    cumulative[abs(cumulative) <= 1e-12 * np.abs(flows).max(initial=0.0)] = 0.0
    below = np.flatnonzero(cumulative < 0)
    if not len(below):
        return 0.0
    last = int(below[-1])
    if last == len(flows) - 1:
        return None
    return last + float(-cumulative[last] / (cumulative[last + 1] - cumulative[last]))


def internal_rate_of_return(flows: Floats) -> float | None:
    """The rate at which the flows' present value is 0, by ``pyxirr``.

    Flows that change sign more than once may have several. A rate of at least 0 comes before a
    negative one (which a loss or a late cost has, down to -99 %); where two or more then remain,
    none of them is the return, and the answer is None, as it is where there is none at all.

    >>> internal_rate_of_return(np.array([-100.0, 0.0, 121.0]))
    0.1

    Raises
    ------
    MissingExtraError
        Without the extra ``finance``.
    """
    with needs_extra("the internal rate of return", "finance"):
        import pyxirr
    values = np.polynomial.polynomial.polyval(_DISCOUNTS, flows)
    crossed = np.flatnonzero(np.diff(np.signbit(values)))
    rates = 1 / _DISCOUNTS[crossed] - 1
    candidates = rates[rates >= 0] if (rates >= 0).any() else rates
    if len(candidates) != 1:
        return None
    found: float | None = pyxirr.irr(flows, guess=float(candidates[0]), silent=True)
    return None if found is None else round(found, 12)


def _discounted(flows: Floats, rate: float) -> Floats:
    return flows / (1 + rate) ** np.arange(len(flows))
