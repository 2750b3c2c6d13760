// Several devices on one site: who is served when, and each one's part of the site's flows.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/battery.hpp"
#include "bess/corridor.hpp"
#include "bess/flows.hpp"
#include "bess/site.hpp"
#include "bess/slope_list.hpp"

namespace bess {

// Priority 1 is served first, 10 last; equal priorities share in proportion to the AC energy each
// could take or give in the step. Requires: AC-coupled, and the same permissions on every device.
struct Device {
  Battery battery;
  int charging_priority;
  int discharging_priority;
  std::vector<Window> windows;  // sorted by step
  // What energy left after the last step is worth, from the first kWh on: each is worth at most as
  // much as those before it, and those beyond all of these nothing.
  std::vector<Worth> end_worth;
};

// kWh DC stored for each kWh AC taken, and the limits of a step as seen on the AC side (kWh AC).
inline double into_cells(const Battery& b) {
  return b.ac_to_dc_efficiency * b.input_efficiency;
}
inline double charge_limit_ac(const Battery& b) {
  return b.charge_limit / b.ac_to_dc_efficiency;
}
inline double discharge_limit_ac(const Battery& b) {
  return b.discharge_limit * b.dc_to_ac_efficiency;
}

// The series of one device: the first four rows are flows as in FlowSeries, the last its state of
// charge at the end of the step.
enum class DeviceSeries : std::size_t {
  kGridToBattery,
  kSolarToBattery,
  kBatteryToSite,
  kBatteryToGrid,
  kStateOfCharge,
};
inline constexpr std::size_t kDeviceSeriesCount = 5;

struct DeviceFlows {
  double* block;
  std::size_t steps;

  double* row(DeviceSeries series) const {
    return block + static_cast<std::size_t>(series) * steps;
  }
};

// The positions of the devices in the order in which they are served.
std::vector<std::size_t> charging_order(std::span<const Device> devices);
std::vector<std::size_t> discharging_order(std::span<const Device> devices);

// What all devices together do in one step (kWh AC), handed out to them: `charge` and `discharge`
// hold each device's AC energy. Solar goes first to those served first, and so does the site's
// load.
struct StepShares {
  std::span<const double> charge;
  std::span<const double> discharge;
  std::span<const std::size_t> charging_order;
  std::span<const std::size_t> discharging_order;
};
void write_device_flows(std::span<const Device> devices, const StepFlows& total,
                        const StepShares& shares, std::size_t t,
                        std::span<const DeviceFlows> device_flows);

// Writes the totals of one step into the site's series. `solar_to_battery_dc` in kWh DC.
void write_site_flows(const Site& site, const StepFlows& total, double solar_to_battery_dc,
                      double state_of_charge, std::size_t t, FlowSeries flows);

}  // namespace bess
