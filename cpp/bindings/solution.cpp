#include "bess/solution.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_solution(py::module_& m) {
  m.def(
      "recover",
      [](const ProblemHolder& problem, const LinearProgram& program, const Array<double>& solution,
         bool simultaneous) {
        const auto values = borrow(solution);
        ResultBlocks blocks(problem.problem.site.steps(), problem.devices.size());
        Recovery recovery;
        {
          const py::gil_scoped_release release;
          recovery = recover(problem.problem, program, values, simultaneous, blocks.flows,
                             blocks.device_flows);
        }
        py::array_t<std::uint8_t> not_exclusive(recovery.not_exclusive.size(),
                                                recovery.not_exclusive.data());
        return py::make_tuple(blocks.site_array(), blocks.device_array(), not_exclusive,
                              recovery.feasible);
      },
      py::arg("problem"), py::arg("program"), py::arg("solution").noconvert(),
      py::arg("simultaneous"));
}

}  // namespace bess::border
