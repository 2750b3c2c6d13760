// The optimal-dispatch problem, stated once for every solver.
#pragma once

#include <span>
#include <vector>

#include "bess/battery.hpp"
#include "bess/device.hpp"
#include "bess/site.hpp"

namespace bess {

// Minimise the sum over steps of import_price * import - export_price * export + degradation, less
// what the energy left in the devices is worth, subject to the balances of flows.hpp, the limits of
// site and devices, and each device's windows. Invariants: prices have site.steps() values; one
// device of any coupling, or several as sharing.hpp requires; each device's windows are sorted by
// step, and lie within its limits.
struct Problem {
  Site site;
  std::span<const double> import_price;  // money per kWh AC, any sign
  std::span<const double> export_price;
  std::span<const Device> devices;
  bool cyclic;  // the energy before the first step is that after the last, and free
  // The sun has a meter of its own, which it leaves for the grid or the battery: it serves no load,
  // and may be exported while the site's meter imports.
  bool solar_metered_apart = false;

  Step step(std::size_t t) const {
    return {site.load[t],
            site.solar[t],
            site.export_limit_at(t),
            site.import_limit_at(t),
            site.inverter_limit_at(t),
            import_price[t],
            export_price[t]};
  }
};

}  // namespace bess
