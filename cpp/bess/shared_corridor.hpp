// The corridors of several devices, which share what their site can give and take.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/device.hpp"
#include "bess/site.hpp"

namespace bess {

// The least and the most stored energy (kWh DC) at the end of each step; empty: the device's own
// limits in every step.
struct EnergyBounds {
  std::vector<double> low;
  std::vector<double> high;
};

// One for each device, from which all windows can be met and load above the import limit served,
// as far as that is possible at all. O(steps * devices).
std::vector<EnergyBounds> plan_shared_corridors(const Site& site, std::span<const Device> devices);

// `kept_energies` at the end of the last step for all devices at once, each from its initial
// energy: those that are served first restore theirs first.
std::vector<double> kept_at_end(const Site& site, std::span<const Device> devices);

// AC energy (kWh) that the site can give to all devices together in a step, and take from them.
// `terms` is any of the devices' batteries: they have the same permissions.
double site_gives(const Site& site, const Battery& terms, std::size_t t);
double site_takes(const Site& site, const Battery& terms, std::size_t t);

}  // namespace bess
