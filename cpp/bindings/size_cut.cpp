#include "bess/size_cut.hpp"

#include <vector>

#include "bess/dynamic_program.hpp"
#include "holders.hpp"

namespace bess::border {

void bind_size_cut(py::module_& m) {
  m.def(
      "size_cut",
      [](const ProblemHolder& holder, const ProblemHolder& largest) -> py::object {
        thread_local StageCosts costs;  // their room is used again
        thread_local StageCosts widest;
        thread_local DynamicProgram program;
        const Problem& problem = holder.problem;
        SizeCut cut{};
        bool is_found;
        {
          const py::gil_scoped_release release;
          std::vector<double> energy(problem.site.steps());
          std::vector<double> worth(problem.site.steps());
          is_found = problem.devices.front().end_worth.empty() && costs.build(problem) &&
                     !costs.lossy() && widest.build(largest.problem);
          if (is_found) {
            make_convex_at_every_size(widest, costs);
            is_found = program.solve(problem, costs, energy, worth).feasible;
          }
          if (is_found) cut = size_cut(problem, costs, worth);
        }
        if (!is_found) return py::none();
        return py::make_tuple(cut.cost, cut.per_capacity, cut.per_charge, cut.per_discharge,
                              widest.kinks());
      },
      py::arg("problem"), py::arg("largest"));
}

}  // namespace bess::border
