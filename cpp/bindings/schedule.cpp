#include "bess/schedule.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_schedule(py::module_& m) {
  m.def(
      "write_schedule",
      [](const ProblemHolder& problem, const Array<double>& energy) {
        const auto energies = borrow(energy);
        ResultBlocks blocks(problem.problem.site.steps(), 1);
        bool feasible;
        {
          const py::gil_scoped_release release;
          feasible =
              write_schedule(problem.problem, energies, blocks.flows, blocks.device_flows.front())
                  .feasible;
        }
        return py::make_tuple(blocks.site_array(), blocks.device_array(), feasible);
      },
      py::arg("problem"), py::arg("energy").noconvert());
}

}  // namespace bess::border
