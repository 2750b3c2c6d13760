// Core structs over arrays that Python owns: each holder keeps its arrays alive.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bess/corridor.hpp"
#include "bess/problem.hpp"
#include "bess/rules.hpp"
#include "bess/sharing.hpp"
#include "bess/site.hpp"

namespace bess::border {

struct SiteHolder {
  Array<double> load;
  Array<double> solar;
  std::optional<Array<double>> export_limit;
  std::optional<Array<double>> import_limit;
  std::optional<Array<double>> inverter_limit;
  Site site;
};

struct RuleHolder {
  Array<std::int8_t> modes;
  Array<double> discharge;
  Rule rule;
};

struct ProblemHolder {
  py::object site_owner;
  Array<double> import_price;
  Array<double> export_price;
  std::vector<Device> devices;
  Problem problem;
};

// Rows of determinants: imported, exported, peak.
inline constexpr std::size_t kDeterminantRows = 3;

// The instruction set of a name; without a name, the widest.
InstructionSet instruction_set(const std::optional<std::string>& name);

// (step, low, high) as Python gives windows.
using WindowTuples = std::vector<std::tuple<std::size_t, double, double>>;

inline std::vector<Window> windows_of(const WindowTuples& tuples) {
  std::vector<Window> windows;
  windows.reserve(tuples.size());
  for (const auto& [step, low, high] : tuples) windows.push_back({step, low, high});
  return windows;
}

// The site's block and one block for all devices, with the structs that point into them.
struct ResultBlocks {
  Block site;
  Block devices;
  FlowSeries flows;
  std::vector<DeviceFlows> device_flows;

  ResultBlocks(std::size_t steps, std::size_t device_count)
      : site(take_block(kSeriesCount * steps)),
        devices(take_block(device_count * kDeviceSeriesCount * steps)),
        flows{site.get(), steps} {
    for (std::size_t i = 0; i < device_count; ++i) {
      device_flows.push_back({devices.get() + i * kDeviceSeriesCount * steps, steps});
    }
  }

  // Each may be asked for once.
  py::array site_array() { return block_array(std::move(site), {kSeriesCount, flows.steps}); }
  py::array device_array() {
    return block_array(std::move(devices), {device_flows.size(), kDeviceSeriesCount, flows.steps});
  }
};

}  // namespace bess::border
