// How far a value function is above what one step and the value function after it allow.
//
// For whatever functions V_t, V_0(s_0) less the sum over t of
//     max over s of [V_t(s) - min over x (f_t(x) + V_{t+1}(s + x))]_+
// is a lower bound on the cost of every schedule. These residuals are worked out without the code
// that made the functions: rounding, or a mistake in it, makes the bound weaker, never wrong.
#pragma once

#include <span>

#include "bess/piecewise_linear.hpp"
#include "bess/stage_cost.hpp"
#include "bess/value_function.hpp"

namespace bess {

// Whatever their shape: the least over x lies at a corner of the cost or at one of `later`, and
// where it does, the slopes on either side tell. Places closer than tolerances.width are the same.
// O(corners * segments).
double residual(const CostPieces& cost, const FunctionView& now, const FunctionView& later,
                const Tolerances& tolerances);

}  // namespace bess
