"""Baselining: bills, or an interval series with gaps, become a step series."""

from bess.baselining.baseline import Baseline, Origin, baseline, filled, on_year

__all__ = ["Baseline", "Origin", "baseline", "filled", "on_year"]
