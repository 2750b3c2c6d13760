#include "bess/dynamic_program.hpp"

#include "bess/cyclic_program.hpp"
#include "bess/schedule.hpp"
#include "holders.hpp"

namespace bess::border {

void bind_dynamic_program(py::module_& m) {
  m.def(
      "solve_dynamic_program",
      [](const ProblemHolder& problem) -> py::object {
        thread_local StageCosts costs;  // their room is used again
        thread_local DynamicProgram program;
        thread_local CyclicProgram cyclic;
        const std::size_t steps = problem.problem.site.steps();
        ResultBlocks blocks(steps, 1);
        Block energy = take_block(steps);
        Block worth = take_block(steps);
        Optimum optimum;
        bool feasible;
        {
          const py::gil_scoped_release release;
          feasible = costs.build(problem.problem);
          if (feasible) {
            const auto solve = [&](auto& solver) {
              return solver.solve(problem.problem, costs, {energy.get(), steps},
                                  {worth.get(), steps});
            };
            optimum = problem.problem.cyclic ? solve(cyclic) : solve(program);
          }
          feasible = feasible && optimum.feasible &&
                     write_schedule(problem.problem, {energy.get(), steps}, blocks.flows,
                                    blocks.device_flows.front())
                         .feasible;
        }
        if (!feasible) return py::none();
        return py::make_tuple(blocks.site_array(), blocks.device_array(),
                              block_array(std::move(worth), {steps}), optimum.lower_bound);
      },
      py::arg("problem"));
}

}  // namespace bess::border
