// What all devices do together is settled first; here it is handed out to them, group after group
// of equal priority, and within a group in proportion.
#include "bess/device.hpp"

#include <algorithm>
#include <numeric>

namespace bess {
namespace {

std::vector<std::size_t> order_by(std::span<const Device> devices, int Device::* priority) {
  std::vector<std::size_t> order(devices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return devices[a].*priority < devices[b].*priority;
  });
  return order;
}

// Hands `total` out to devices that together take `parts`, at least as much: group after group of
// equal priority, in proportion within a group. What is not handed out is the other source's.
template <typename Write>
void attribute(std::span<const Device> devices, std::span<const std::size_t> order,
               int Device::* priority, std::span<const double> parts, double total, bool all,
               const Write& write) {
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    double sum = 0;
    for (; last < order.size() && devices[order[last]].*priority == devices[order[first]].*priority;
         ++last) {
      sum += parts[order[last]];
    }
    const double share = all || sum <= total ? 1.0 : total / sum;
    for (std::size_t n = first; n < last; ++n) {
      const double part = share * parts[order[n]];
      write(order[n], part, parts[order[n]] - part);
    }
    total = std::max(total - sum, 0.0);
    first = last;
  }
}

}  // namespace

std::vector<std::size_t> charging_order(std::span<const Device> devices) {
  return order_by(devices, &Device::charging_priority);
}

std::vector<std::size_t> discharging_order(std::span<const Device> devices) {
  return order_by(devices, &Device::discharging_priority);
}

void write_device_flows(std::span<const Device> devices, const StepFlows& total,
                        const StepShares& shares, std::size_t t,
                        std::span<const DeviceFlows> device_flows) {
  attribute(devices, shares.charging_order, &Device::charging_priority, shares.charge,
            total.solar_to_battery, !(total.grid_to_battery > 0),
            [&](std::size_t i, double from_sun, double from_grid) {
              device_flows[i].row(DeviceSeries::kSolarToBattery)[t] =
                  from_sun * devices[i].battery.ac_to_dc_efficiency;
              device_flows[i].row(DeviceSeries::kGridToBattery)[t] = from_grid;
            });
  attribute(devices, shares.discharging_order, &Device::discharging_priority, shares.discharge,
            total.battery_to_site, !(total.battery_to_grid > 0),
            [&](std::size_t i, double to_site, double to_grid) {
              device_flows[i].row(DeviceSeries::kBatteryToSite)[t] = to_site;
              device_flows[i].row(DeviceSeries::kBatteryToGrid)[t] = to_grid;
            });
}

void write_site_flows(const Site& site, const StepFlows& total, double solar_to_battery_dc,
                      double state_of_charge, std::size_t t, FlowSeries flows) {
  flows.row(Series::kGridToSite)[t] = total.grid_to_site;
  flows.row(Series::kGridToBattery)[t] = total.grid_to_battery;
  flows.row(Series::kSolarToBattery)[t] = solar_to_battery_dc;
  flows.row(Series::kSolarToSite)[t] = total.solar_to_site;
  flows.row(Series::kSolarToGrid)[t] = total.solar_to_grid;
  flows.row(Series::kSolarCurtailed)[t] = total.solar_curtailed / site.solar_dc_to_ac_efficiency;
  flows.row(Series::kBatteryToSite)[t] = total.battery_to_site;
  flows.row(Series::kBatteryToGrid)[t] = total.battery_to_grid;
  flows.row(Series::kNetLoad)[t] = total.import() - total.exported();
  flows.row(Series::kStateOfCharge)[t] = state_of_charge;
}

}  // namespace bess
