// Dispatch by rule for several devices on one site, which share surplus and deficit by priority.
#pragma once

#include <cstddef>
#include <span>

#include "bess/device.hpp"
#include "bess/flows.hpp"
#include "bess/rules.hpp"
#include "bess/site.hpp"

namespace bess {

// Dispatches the devices and writes the site's series and each device's. Returns the first step in
// which load above the import limit could not be served, or -1; from there on the series are void.
std::ptrdiff_t dispatch_shared(const Site& site, std::span<const Device> devices, const Rule& rule,
                               FlowSeries flows, std::span<const DeviceFlows> device_flows);

}  // namespace bess
