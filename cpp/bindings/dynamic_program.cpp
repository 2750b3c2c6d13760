#include "bess/dynamic_program.hpp"

#include "bess/schedule.hpp"
#include "holders.hpp"

namespace bess::border {

void bind_dynamic_program(py::module_& m) {
  py::class_<DynamicProgram>(m, "DynamicProgram")
      .def(py::init<>())
      .def(
          "solve",
          [](DynamicProgram& program, const ProblemHolder& problem) -> py::object {
            const std::size_t steps = problem.problem.site.steps();
            ResultBlocks blocks(steps, 1);
            Block worth = take_block(steps);
            Block energy = take_block(steps);
            Optimum optimum;
            Schedule schedule{};
            {
              const py::gil_scoped_release release;
              optimum = program.solve(problem.problem, {energy.get(), steps}, {worth.get(), steps});
              if (optimum.feasible) {
                schedule = write_schedule(problem.problem, {energy.get(), steps}, blocks.flows,
                                          blocks.device_flows.front());
              }
            }
            if (!optimum.feasible) return py::none();
            return py::make_tuple(blocks.site_array(), blocks.device_array(),
                                  block_array(std::move(worth), {steps}), schedule.cost,
                                  optimum.lower_bound, optimum.value, optimum.kinks,
                                  optimum.flat_steps, schedule.feasible);
          },
          py::arg("problem"));
}

}  // namespace bess::border
