#include "bess/stage_costs.hpp"

#include "bess/generic_stage_cost.hpp"
#include "bess/value_function.hpp"
#include "holders.hpp"

namespace bess::border {

void bind_stage_cost(py::module_& m) {
  m.def(
      "stage_cost",
      [](const ProblemHolder& problem, std::size_t step) -> py::object {
        StageCosts costs;
        if (!costs.build(problem.problem)) return py::none();
        const CostPieces pieces(costs[step], costs.segments(step));
        std::vector<std::vector<std::tuple<double, double>>> corners(pieces.count());
        for (std::size_t i = 0; i < pieces.count(); ++i) {
          for (const CostPieces::Corner& c : pieces.piece(i)) {
            corners[i].emplace_back(c.change, c.cost);
          }
        }
        return py::cast(corners);
      },
      py::arg("problem"), py::arg("step"));

  m.def(
      "generic_stage_cost",
      [](const ProblemHolder& problem, std::size_t step) -> py::object {
        const PiecewiseLinear f = generic_stage_cost(
            problem.problem.step(step), problem.problem.site, problem.devices.front().battery);
        if (f.segments.empty()) return py::none();
        std::vector<std::tuple<double, double, double>> segments;
        for (const Segment& s : f.segments) segments.emplace_back(s.start, s.value, s.slope);
        return py::make_tuple(segments, f.end);
      },
      py::arg("problem"), py::arg("step"));
}

}  // namespace bess::border
