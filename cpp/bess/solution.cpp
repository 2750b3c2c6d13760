// Stored energy is followed step by step: the next energy is the solution's, held to the limits of
// the battery and of what one step can do, so errors of the solver never add up. What the step does
// then follows from the change of energy, and its flows from that.
#include "bess/solution.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace bess {
namespace {

// A solver's tolerance, relative to the energies of a step.
constexpr double kTolerance = 1e-7;
// What a balance may be off by, relative to the capacity.
constexpr double kBalance = 1e-9;

class Follower {
 public:
  Follower(const Problem& problem, const LinearProgram& program, std::span<const double> solution)
      : problem_(problem),
        program_(program),
        solution_(solution),
        energy_(problem.devices.size()),
        charge_(problem.devices.size()),
        discharge_(problem.devices.size()),
        charging_(charging_order(problem.devices)),
        discharging_(discharging_order(problem.devices)) {
    const Battery& b = problem.devices.front().battery;
    const bool alone = problem.devices.size() == 1;
    const double pv = problem.site.solar_dc_to_ac_efficiency;
    // One battery counts its charge in kWh DC, several (AC-coupled) in kWh AC.
    terms_ = {alone ? b.solar_charge_ratio(pv) : 1.0,
              alone ? b.ac_to_dc_efficiency : 1.0,
              b.grid_to_battery,
              b.battery_to_grid,
              b.solar_to_battery,
              problem.site.solar_to_grid};
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      energy_[i] = problem.cyclic ? energy(problem.site.steps() - 1, i)
                                  : problem.devices[i].battery.initial_energy;
    }
  }

  Recovery run(bool simultaneous, FlowSeries flows, std::span<const DeviceFlows> device_flows) {
    Recovery recovery{std::vector<std::uint8_t>(problem_.site.steps()), true};
    for (std::size_t t = 0; t < problem_.site.steps(); ++t) {
      StepFlows f;
      if (simultaneous) {
        assert(program_.has_flows);
        f = own_flows(t);
      } else {
        const bool followed = act_on_change(t);
        const Settled settled = exclusive_flows(t);
        f = settled.flows;
        if (!settled.feasible) recovery.feasible = false;
        if (!followed || !settled.feasible || dearer(t, settled.cost)) {
          recovery.not_exclusive[t] = 1;
        }
      }
      if (!move(t)) {
        recovery.feasible = false;
        recovery.not_exclusive[t] = 1;
      }
      write(t, f, flows, device_flows);
    }
    return recovery;
  }

 private:
  // A column's value within its bounds, which a solver may leave by its tolerance.
  double value(std::size_t j) const {
    return std::clamp(solution_[j], program_.column_lower[j], program_.column_upper[j]) *
           program_.energy_unit;
  }
  double value(std::size_t t, std::size_t i, std::size_t offset) const {
    return value(program_.layout.device(t, i) + offset);
  }
  double energy(std::size_t t, std::size_t i) const {
    return within_limits(value(program_.energy_column(t, i)), t, i);
  }
  double within_limits(double energy, std::size_t t, std::size_t i) const {
    const Battery& b = problem_.devices[i].battery;
    const double least = program_.column_lower[program_.energy_column(t, i)] * program_.energy_unit;
    return std::clamp(energy, std::min(least, b.minimum_energy), b.maximum_energy);
  }
  // What self-discharge leaves of the energy stored before a step.
  double kept(std::size_t i) const { return energy_[i] * problem_.devices[i].battery.retention; }
  // kWh DC at the terminals for each unit in which the device's charge is counted.
  double dc_per_charge(std::size_t i) const {
    return problem_.devices.size() == 1 ? 1.0 : problem_.devices[i].battery.ac_to_dc_efficiency;
  }

  // What a device can do in a step: of several, as far as its own limits go, for what the site
  // gives, takes and must be given is theirs together.
  ChangeRange range_of(const Battery& b, std::size_t t) const {
    if (energy_.size() == 1) return change_range(problem_.site, b, t);
    return {-b.discharge_limit, b.charge_limit * b.input_efficiency};
  }

  // Charge and discharge of each device from the change of its stored energy; false where a change
  // is more than a device can do at once, as when the solution charges and discharges together.
  bool act_on_change(std::size_t t) {
    bool followed = true;
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      const ChangeRange range = range_of(b, t);
      double change = energy(t, i) - kept(i);
      if (std::abs(change) < kTolerance * 1e-2 * program_.energy_unit && range.most >= 0)
        change = 0;
      const double wanted = change;
      change = std::min(std::max(change, range.least), range.most);
      if (std::abs(change - wanted) > kTolerance * program_.energy_unit) followed = false;
      charge_[i] = std::max(change, 0.0) / (b.input_efficiency * dc_per_charge(i));
      discharge_[i] = std::max(-change, 0.0) * b.dc_to_ac_efficiency;
    }
    return followed;
  }

  Settled exclusive_flows(std::size_t t) {
    const Step step = problem_.step(t);
    const double slack = kTolerance * program_.energy_unit;
    const double charge = total(charge_);
    const double discharge = total(discharge_);
    Settled settled = settled_at(step, charge, discharge);
    if (settled.feasible) return settled;
    // A solution may overstep a joint limit by its tolerance; each is tried in turn.
    const double sun = step.solar * terms_.solar_ratio;
    const double outlet = step.load + (terms_.battery_to_grid ? step.export_limit : 0.0);
    for (const double charge_cap : {most_charge(step, discharge), sun}) {
      const double less_charge = std::min(charge, std::max(charge_cap, 0.0));
      const double owed = discharge - most_charge(step, discharge);
      for (const double other : {std::min(discharge, outlet), std::min(discharge, step.load),
                                 less_charge > 0 ? discharge : std::max(discharge, owed)}) {
        if (charge - less_charge > slack || std::abs(discharge - other) > slack) continue;
        settled = settled_at(step, less_charge, other);
        if (!settled.feasible) continue;
        scale(charge_, charge, less_charge);
        scale(discharge_, discharge, other);
        return settled;
      }
    }
    return settled;
  }

  Settled settled_at(const Step& step, double charge, double discharge) const {
    return problem_.solar_metered_apart ? settle_apart(step, terms_, charge, discharge)
                                        : settle(step, terms_, charge, discharge);
  }

  // The most charge, in the unit of the terms, that the import limit leaves room for.
  double most_charge(const Step& step, double discharge) const {
    const double unserved = step.load - std::min(discharge, step.load);
    const double spare = step.import_limit + step.solar - unserved;
    if (!terms_.solar_to_battery) {
      return std::min(spare, step.import_limit) * terms_.grid_ratio;
    }
    const double from_sun = std::min(spare, step.solar);
    return from_sun * terms_.solar_ratio +
           (terms_.grid_to_battery ? (spare - from_sun) * terms_.grid_ratio : 0.0);
  }

  static double total(const std::vector<double>& parts) {
    double sum = 0;
    for (const double part : parts) sum += part;
    return sum;
  }
  static void scale(std::vector<double>& parts, double from, double to) {
    if (from == to) return;
    for (double& part : parts) part *= to / from;
  }

  // The solution's own flows, repaired so that every balance closes.
  StepFlows own_flows(std::size_t t) {
    const Step step = problem_.step(t);
    StepFlows f;
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      const double sun = value(t, i, ColumnLayout::kSolarToBattery);
      const double grid = value(t, i, ColumnLayout::kGridToBattery);
      const double to_site = value(t, i, ColumnLayout::kBatteryToSite);
      const double to_grid = value(t, i, ColumnLayout::kBatteryToGrid);
      double stored = (sun + grid * b.ac_to_dc_efficiency) * b.input_efficiency;
      double drawn = (to_site + to_grid) / b.dc_to_ac_efficiency;
      const double stored_before = stored;
      const double drawn_before = drawn;
      const double excess = stored - drawn - (energy(t, i) - kept(i));
      stored -= std::clamp(excess, 0.0, stored);
      drawn -= std::clamp(-excess, 0.0, drawn);
      const double kept = stored_before > 0 ? stored / stored_before : 0.0;
      const double given = drawn_before > 0 ? drawn / drawn_before : 0.0;
      charge_[i] = stored / (b.input_efficiency * dc_per_charge(i));
      discharge_[i] = drawn * b.dc_to_ac_efficiency;
      f.solar_to_battery += kept * sun / terms_.solar_ratio *
                            (energy_.size() == 1 ? 1.0 : 1.0 / b.ac_to_dc_efficiency);
      f.grid_to_battery += kept * grid;
      f.battery_to_site += given * to_site;
      f.battery_to_grid += given * to_grid;
    }
    const double sun = std::max(step.solar - f.solar_to_battery, 0.0);
    const double unserved = std::max(step.load - f.battery_to_site, 0.0);
    f.solar_to_site =
        std::clamp(value(program_.layout.solar_to_site(t)), 0.0, std::min(sun, unserved));
    f.grid_to_site = unserved - f.solar_to_site;
    const double outlet = std::max(step.export_limit - f.battery_to_grid, 0.0);
    f.solar_to_grid = std::clamp(value(program_.layout.solar_to_grid(t)), 0.0,
                                 std::min(sun - f.solar_to_site, outlet));
    f.solar_curtailed = sun - f.solar_to_site - f.solar_to_grid;
    return f;
  }

  // Whether settling cost more than the solution's own flows of the step.
  bool dearer(std::size_t t, double settled_cost) const {
    if (!program_.has_flows) return false;
    const Step step = problem_.step(t);
    double to_battery = 0;
    double to_site = value(program_.layout.solar_to_site(t));
    double to_grid = value(program_.layout.solar_to_grid(t));
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      to_battery += value(t, i, ColumnLayout::kGridToBattery);
      to_site += value(t, i, ColumnLayout::kBatteryToSite);
      to_grid += value(t, i, ColumnLayout::kBatteryToGrid);
    }
    const double own =
        step.import_price * (step.load - to_site + to_battery) - step.export_price * to_grid;
    return settled_cost > own + 0.1 * kTolerance * program_.energy_unit * program_.cost_unit;
  }

  // Moves the stored energies on by what the devices do; false where one leaves its bounds by more
  // than rounding: then the step could not be carried out as the solution has it.
  bool move(std::size_t t) {
    bool within = true;
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      energy_[i] = kept(i) + charge_[i] * dc_per_charge(i) * b.input_efficiency -
                   discharge_[i] / b.dc_to_ac_efficiency;
      const std::size_t j = program_.energy_column(t, i);
      const double least = program_.column_lower[j] * program_.energy_unit;
      const double most = program_.column_upper[j] * program_.energy_unit;
      const double slack = kBalance * b.capacity;
      within = within && energy_[i] >= least - slack && energy_[i] <= most + slack;
      energy_[i] = within_limits(energy_[i], t, i);
    }
    return within;
  }

  void write(std::size_t t, const StepFlows& f, FlowSeries flows,
             std::span<const DeviceFlows> device_flows) {
    double stored = 0;
    double capacity = 0;
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      stored += energy_[i];
      capacity += problem_.devices[i].battery.capacity;
    }
    double solar_dc = f.solar_to_battery * terms_.solar_ratio;
    if (energy_.size() == 1) {
      device_flows[0].row(DeviceSeries::kGridToBattery)[t] = f.grid_to_battery;
      device_flows[0].row(DeviceSeries::kSolarToBattery)[t] = solar_dc;
      device_flows[0].row(DeviceSeries::kBatteryToSite)[t] = f.battery_to_site;
      device_flows[0].row(DeviceSeries::kBatteryToGrid)[t] = f.battery_to_grid;
    } else {
      write_device_flows(problem_.devices, f, {charge_, discharge_, charging_, discharging_}, t,
                         device_flows);
      solar_dc = 0;
      for (const DeviceFlows& d : device_flows) solar_dc += d.row(DeviceSeries::kSolarToBattery)[t];
    }
    for (std::size_t i = 0; i < energy_.size(); ++i) {
      device_flows[i].row(DeviceSeries::kStateOfCharge)[t] =
          energy_[i] / problem_.devices[i].battery.capacity;
    }
    write_site_flows(problem_.site, f, solar_dc, stored / capacity, t, flows);
  }

  const Problem& problem_;
  const LinearProgram& program_;
  std::span<const double> solution_;
  std::vector<double> energy_;
  std::vector<double> charge_;
  std::vector<double> discharge_;
  std::vector<std::size_t> charging_;
  std::vector<std::size_t> discharging_;
  Terms terms_{};
};

}  // namespace

Recovery recover(const Problem& problem, const LinearProgram& program,
                 std::span<const double> solution, bool simultaneous, FlowSeries flows,
                 std::span<const DeviceFlows> device_flows) {
  return Follower(problem, program, solution).run(simultaneous, flows, device_flows);
}

}  // namespace bess
