// What a site is: load and solar by step, and what belongs to its meter and its solar inverter.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

namespace bess {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Invariants: all series have the length of `load`, limits that are not empty too; values finite
// and >= 0; efficiency in (0, 1].
struct Site {
  std::span<const double> load;   // kWh AC in a step
  std::span<const double> solar;  // kWh AC in a step: what the array gives without a battery
  std::span<const double>
      export_limit;  // kWh AC in a step, solar and battery together; empty: none
  std::span<const double> import_limit;  // kWh AC in a step; empty: none
  // kWh AC in a step, each way, through the inverter that the sun shares with the battery; empty:
  // none. Requires: the one battery is DC-coupled. Behind an inverter of the sun alone, `solar` is
  // what it lets through.
  std::span<const double> inverter_limit;
  double solar_dc_to_ac_efficiency;
  bool solar_to_grid;

  std::size_t steps() const { return load.size(); }
  double export_limit_at(std::size_t t) const {
    return export_limit.empty() ? kNoLimit : export_limit[t];
  }
  double import_limit_at(std::size_t t) const {
    return import_limit.empty() ? kNoLimit : import_limit[t];
  }
  double inverter_limit_at(std::size_t t) const {
    return inverter_limit.empty() ? kNoLimit : inverter_limit[t];
  }
  // The site over some of its steps.
  Site part(std::size_t first, std::size_t count) const {
    Site part = *this;
    for (std::span<const double> Site::* series : {&Site::load, &Site::solar, &Site::export_limit,
                                                   &Site::import_limit, &Site::inverter_limit}) {
      if (!(this->*series).empty()) part.*series = (this->*series).subspan(first, count);
    }
    return part;
  }
};

}  // namespace bess
