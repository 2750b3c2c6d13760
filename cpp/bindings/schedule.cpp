#include "bess/schedule.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_schedule(py::module_& m) {
  m.def(
      "write_schedule",
      [](const ProblemHolder& problem, const Array<double>& energy,
         const std::optional<Array<double>>& import_limit) {
        const auto energies = borrow(energy);
        ResultBlocks blocks(problem.problem.site.steps(), 1);
        Problem stated = problem.problem;
        if (import_limit) stated.site.import_limit = borrow(*import_limit);
        bool feasible;
        {
          const py::gil_scoped_release release;
          feasible =
              write_schedule(stated, energies, blocks.flows, blocks.device_flows.front()).feasible;
        }
        return py::make_tuple(blocks.site_array(), blocks.device_array(), feasible);
      },
      py::arg("problem"), py::arg("energy").noconvert(),
      py::arg("import_limit").noconvert() = py::none());
}

}  // namespace bess::border
