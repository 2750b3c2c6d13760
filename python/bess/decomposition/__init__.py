"""The optimum where charges join the steps: cuts around the dynamic programme.

`coupled_rows` sorts a tariff's rows by what they join, `cut_master` and `trajectory_master` are the
two small programs between which the optimum is closed in, and `loop` goes round.
"""

from bess.decomposition.loop import not_by_cuts, optimize_by_cuts
from bess.decomposition.recollection import Recollection

__all__ = ["Recollection", "not_by_cuts", "optimize_by_cuts"]
