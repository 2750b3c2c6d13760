// The problem of one battery with one row a step: the columns are the ways in which a step can
// store or draw energy, in their order of merit, and the flows follow from them.
#pragma once

#include "bess/linear_program.hpp"
#include "bess/problem.hpp"

namespace bess {

// Whether, for whatever prices with 0 <= export price <= import price in every step, the order of
// merit is known beforehand: one battery that loses energy on every way in and out, that may store
// solar energy if there is any and may export what the sun may, behind a meter without import
// limit.
bool has_known_merit(const Problem& problem);

// The program, for as long as prices keep 0 <= export price <= import price; import and export are
// affine in its columns, so that charges on them can be joined to it. Its optimum and its bound
// hold for the whole problem where the marginal prices at the solution keep that order.
// Requires: has_known_merit(problem).
LinearProgram build_reduced_program(const Problem& problem);

}  // namespace bess
