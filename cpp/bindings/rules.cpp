#include "bess/rules.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "holders.hpp"

namespace bess::border {
namespace {

// In the order of InstructionSet.
constexpr std::array<const char*, 3> kInstructionSets{"baseline", "avx2", "avx512"};

}  // namespace

InstructionSet instruction_set(const std::optional<std::string>& name) {
  const InstructionSet widest = widest_instruction_set();
  if (!name) return widest;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(widest); ++i) {
    if (*name == kInstructionSets[i]) return static_cast<InstructionSet>(i);
  }
  throw py::value_error("this machine or build has no instruction set " + *name);
}

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
         const WindowTuples& windows, const std::optional<std::string>& instructions) {
        const InstructionSet set = instruction_set(instructions);
        const std::vector<Window> sorted = windows_of(windows);
        const std::size_t steps = site.site.steps();
        Corridor corridor;
        Block block;
        {
          const py::gil_scoped_release release;
          corridor = make_corridor(site.site, battery, sorted, battery.initial_energy,
                                   battery.initial_energy);
          if (corridor.infeasible_step < 0) {
            block = take_block(kSeriesCount * steps);
            dispatch_rule(site.site, battery, rule.rule, corridor, {block.get(), steps}, set);
          }
        }
        const py::object flows =
            block ? block_array(std::move(block), {kSeriesCount, steps}) : py::object(py::none());
        return py::make_tuple(flows, corridor.infeasible_step, corridor.shortfall);
      },
      py::arg("site"), py::arg("battery"), py::arg("rule"), py::arg("windows"),
      py::arg("instruction_set") = py::none());

  m.def("instruction_sets", [] {
    const auto widest = static_cast<std::ptrdiff_t>(widest_instruction_set());
    return std::vector<std::string>(kInstructionSets.begin(),
                                    kInstructionSets.begin() + widest + 1);
  });
}

}  // namespace bess::border
