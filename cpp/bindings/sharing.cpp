#include "bess/sharing.hpp"

#include "bess/shared_corridor.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_sharing(py::module_& m) {
  m.def(
      "dispatch_shared",
      [](const SiteHolder& site, const std::vector<Device>& devices, const RuleHolder& rule) {
        ResultBlocks blocks(site.site.steps(), devices.size());
        std::ptrdiff_t infeasible_step = -1;
        {
          const py::gil_scoped_release release;
          infeasible_step =
              dispatch_shared(site.site, devices, rule.rule, blocks.flows, blocks.device_flows);
        }
        return py::make_tuple(blocks.site_array(), blocks.device_array(), infeasible_step);
      },
      py::arg("site"), py::arg("devices"), py::arg("rule"));

  m.def(
      "kept_at_end",
      [](const SiteHolder& site, const std::vector<Device>& devices) {
        const py::gil_scoped_release release;
        return kept_at_end(site.site, devices);
      },
      py::arg("site"), py::arg("devices"));
}

}  // namespace bess::border
