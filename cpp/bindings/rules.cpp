#include "bess/rules.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_rules(py::module_& m) {
  py::class_<RuleHolder>(m, "Rule")
      .def_static("surplus", [] { return RuleHolder{{}, {}, {RuleKind::kSurplus, {}, {}}}; })
      .def_static(
          "fixed_schedule",
          [](Array<std::int8_t> modes) {
            const Rule rule{RuleKind::kFixedSchedule, borrow(modes), {}};
            return RuleHolder{std::move(modes), {}, rule};
          },
          py::arg("modes").noconvert())
      .def_static(
          "follow",
          [](Array<double> discharge) {
            const Rule rule{RuleKind::kFollow, {}, borrow(discharge)};
            return RuleHolder{{}, std::move(discharge), rule};
          },
          py::arg("discharge").noconvert())
      .def_static(
          "peak_shaving",
          [](double target) {
            return RuleHolder{{}, {}, {RuleKind::kPeakShaving, {}, {}, target}};
          },
          py::arg("target"));

  m.def(
      "dispatch_rule",
      [](const SiteHolder& site, const Battery& battery, const RuleHolder& rule,
         const WindowTuples& windows) {
        const std::vector<Window> sorted = windows_of(windows);
        const std::size_t steps = site.site.steps();
        Corridor corridor;
        double* block = nullptr;
        {
          const py::gil_scoped_release release;
          corridor = make_corridor(site.site, battery, sorted, battery.initial_energy,
                                   battery.initial_energy);
          if (corridor.infeasible_step < 0) {
            block = take_block(kSeriesCount * steps);
            dispatch_rule(site.site, battery, rule.rule, corridor, {block, steps});
          }
        }
        const py::object flows =
            block == nullptr ? py::object(py::none()) : block_array(block, {kSeriesCount, steps});
        return py::make_tuple(flows, corridor.infeasible_step, corridor.shortfall);
      },
      py::arg("site"), py::arg("battery"), py::arg("rule"), py::arg("windows"));
}

}  // namespace bess::border
