#include "bess/size_cut.hpp"

#include <vector>

#include "bess/cyclic_program.hpp"
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
        thread_local CyclicProgram cyclic;
        const Problem& problem = holder.problem;
        SizeCut cut{};
        bool is_found;
        {
          const py::gil_scoped_release release;
          std::vector<double> energy(problem.site.steps());
          std::vector<double> worth(problem.site.steps());
          is_found = problem.devices.front().end_worth.empty() && costs.build(problem) &&
                     !costs.lossy() && widest.build(largest.problem);
          double price = 0;
          if (is_found) {
            make_convex_at_every_size(widest, costs);
            if (problem.cyclic) {  // its worths where the price alone joins the end to the start
              is_found = cyclic.solve(problem, costs, energy, worth).feasible;
              price = cyclic.price();
              const Battery& b = problem.devices.front().battery;
              const double low = b.minimum_energy;
              const double high = b.maximum_energy;
              program.solve(problem, costs, Ends{low, high, price, low, high, price}, energy,
                            worth);
            } else {
              is_found = program.solve(problem, costs, energy, worth).feasible;
            }
          }
          if (is_found) cut = size_cut(problem, costs, worth, price);
        }
        if (!is_found) return py::none();
        return py::make_tuple(cut.cost, cut.per_capacity, cut.per_charge, cut.per_discharge,
                              widest.kinks());
      },
      py::arg("problem"), py::arg("largest"));
}

}  // namespace bess::border
