// Grid-to-site and curtailment are the slacks of the load and the solar row, so a step of one
// battery has seven columns and five rows, and stored energy is a recursion, never a running sum.
#include "bess/linear_program.hpp"

#include <algorithm>
#include <cmath>

namespace bess {
namespace {

constexpr double kInfinity = kNoLimit;
// In units of the largest price: small against any price difference, large against tolerances.
constexpr double kTieCost = 1e-7;
constexpr double kRounding = 1e-12;  // relative

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// What a device can do in a step if it does not charge and discharge at once: no more than it
// holds.
double charge_bound(const Battery& b) {
  return std::min(b.charge_limit, (b.maximum_energy - b.minimum_energy) / b.input_efficiency);
}
double discharge_bound(const Battery& b) {
  return std::min(b.discharge_limit, b.maximum_energy - b.minimum_energy);
}

class Builder {
 public:
  Builder(const Problem& problem, std::span<const std::uint8_t> exclusive)
      : problem_(problem), exclusive_(exclusive), steps_(problem.site.steps()) {
    program_.layout = {problem.devices.size()};
    choose_units();
    place_rows();
    reserve();
  }

  LinearProgram build() {
    for (std::size_t t = 0; t < steps_; ++t) add_step_columns(t);
    for (std::size_t t = 0; t < steps_; ++t) {
      if (is_exclusive(t)) add_binary_columns(t);
    }
    program_.start.push_back(static_cast<std::int32_t>(program_.index.size()));
    bound_energies();
    for (std::size_t t = 0; t < steps_; ++t) {
      bound_rows(t);
      program_.offset += problem_.import_price[t] * problem_.site.load[t];
    }
    return std::move(program_);
  }

 private:
  bool is_exclusive(std::size_t t) const { return !exclusive_.empty() && exclusive_[t] != 0; }
  bool has_export_row(std::size_t t) const {
    return is_exclusive(t) || std::isfinite(problem_.site.export_limit_at(t));
  }
  bool has_import_row(std::size_t t) const {
    return is_exclusive(t) || std::isfinite(problem_.site.import_limit_at(t));
  }

  void choose_units() {
    double power = 0;
    double wear = 0;
    for (const Device& device : problem_.devices) {
      power = std::max({power, charge_bound(device.battery), discharge_bound(device.battery)});
      wear = std::max(wear, device.battery.degradation_cost);
    }
    const double site = std::max(largest(problem_.site.load), largest(problem_.site.solar));
    program_.energy_unit = site > 0 ? std::min(power, site) : power;
    const double price =
        std::max({largest(problem_.import_price), largest(problem_.export_price), wear});
    program_.cost_unit = price > 0 ? price : 1.0;
  }

  void place_rows() {
    const std::size_t base = 2 + 3 * problem_.devices.size();
    first_row_.resize(steps_ + 1);
    std::size_t row = 0;
    for (std::size_t t = 0; t < steps_; ++t) {
      first_row_[t] = static_cast<std::int32_t>(row);
      row += base + (has_export_row(t) ? 1 : 0) + (has_import_row(t) ? 1 : 0);
      if (is_exclusive(t)) ++exclusive_steps_;
    }
    first_row_[steps_] = static_cast<std::int32_t>(row);
    program_.row_lower.assign(row, -kInfinity);
    program_.row_upper.assign(row, kInfinity);
  }

  void reserve() {
    const std::size_t devices = problem_.devices.size();
    const std::size_t columns =
        steps_ * program_.layout.per_step() + exclusive_steps_ * (devices + 1);
    for (auto* numbers : {&program_.column_cost, &program_.tie_cost, &program_.column_lower,
                          &program_.column_upper}) {
      numbers->reserve(columns);
    }
    program_.start.reserve(columns + 1);
    program_.integrality.reserve(columns);
    const std::size_t entries = steps_ * (5 + 16 * devices) + exclusive_steps_ * (2 * devices + 2);
    program_.index.reserve(entries);
    program_.value.reserve(entries);
  }

  std::int32_t load_row(std::size_t t) const { return first_row_[t]; }
  std::int32_t solar_row(std::size_t t) const { return first_row_[t] + 1; }
  std::int32_t energy_row(std::size_t t, std::size_t i) const {
    return first_row_[t] + 2 + 3 * static_cast<std::int32_t>(i);
  }
  std::int32_t charge_row(std::size_t t, std::size_t i) const { return energy_row(t, i) + 1; }
  std::int32_t discharge_row(std::size_t t, std::size_t i) const { return energy_row(t, i) + 2; }
  std::int32_t export_row(std::size_t t) const {
    return first_row_[t + 1] - (has_import_row(t) ? 2 : 1);
  }
  std::int32_t import_row(std::size_t t) const { return first_row_[t + 1] - 1; }

  // Opens the next column; money per kWh and kWh in, the program's units stored.
  void column(double cost, double throughput, double upper, std::int32_t integer = 0) {
    const double unit = integer != 0 ? 1.0 : program_.energy_unit;
    program_.start.push_back(static_cast<std::int32_t>(program_.index.size()));
    program_.column_cost.push_back(cost / program_.cost_unit);
    program_.tie_cost.push_back(kTieCost * throughput);
    program_.column_lower.push_back(0.0);
    program_.column_upper.push_back(std::max(upper, 0.0) / unit);
    program_.integrality.push_back(integer);
  }
  void entry(std::int32_t row, double value) {
    program_.index.push_back(row);
    program_.value.push_back(value);
  }

  void add_step_columns(std::size_t t) {
    const Step step = problem_.step(t);
    const bool exports = has_export_row(t);
    const bool imports = has_import_row(t);
    column(-step.import_price, 0, std::min(step.load, step.solar));
    entry(load_row(t), 1);
    entry(solar_row(t), 1);
    if (imports) entry(import_row(t), -1);
    column(-step.export_price, 0,
           problem_.site.solar_to_grid ? std::min(step.solar, step.export_limit) : 0.0);
    entry(solar_row(t), 1);
    if (exports) entry(export_row(t), 1);

    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      const double ratio = b.solar_charge_ratio(problem_.site.solar_dc_to_ac_efficiency);
      const double per_discharge = 1.0 / b.dc_to_ac_efficiency;
      const double charge = is_exclusive(t) ? charge_bound(b) : b.charge_limit;
      const double discharge =
          (is_exclusive(t) ? discharge_bound(b) : b.discharge_limit) * b.dc_to_ac_efficiency;
      const double late = 1.0 + 0.01 * problem_.devices[i].charging_priority;
      const double later = 1.0 + 0.01 * problem_.devices[i].discharging_priority;
      const double wear = b.degradation_cost * per_discharge;

      column(0, late, b.solar_to_battery ? std::min(charge, step.solar * ratio) : 0.0);
      entry(solar_row(t), 1.0 / ratio);
      entry(energy_row(t, i), -b.input_efficiency);
      entry(charge_row(t, i), 1);

      column(step.import_price, late * b.ac_to_dc_efficiency,
             b.grid_to_battery ? charge / b.ac_to_dc_efficiency : 0.0);
      entry(energy_row(t, i), -b.ac_to_dc_efficiency * b.input_efficiency);
      entry(charge_row(t, i), b.ac_to_dc_efficiency);
      if (imports) entry(import_row(t), 1);

      column(wear - step.import_price, later * per_discharge, std::min(step.load, discharge));
      entry(load_row(t), 1);
      entry(energy_row(t, i), per_discharge);
      entry(discharge_row(t, i), per_discharge);
      if (imports) entry(import_row(t), -1);

      column(wear - step.export_price, later * per_discharge,
             b.battery_to_grid ? std::min(step.export_limit, discharge) : 0.0);
      entry(energy_row(t, i), per_discharge);
      entry(discharge_row(t, i), per_discharge);
      if (exports) entry(export_row(t), 1);

      column(0, 0, b.maximum_energy);
      program_.column_lower.back() = b.minimum_energy / program_.energy_unit;
      add_energy_entries(t, i);
    }
  }

  void add_energy_entries(std::size_t t, std::size_t i) {
    const bool last = t + 1 == steps_;
    if (!last) {
      entry(energy_row(t, i), 1);
      entry(energy_row(t + 1, i), -1);
    } else if (!problem_.cyclic) {
      entry(energy_row(t, i), 1);
    } else if (steps_ > 1) {
      entry(energy_row(0, i), -1);
      entry(energy_row(t, i), 1);
    }  // a cycle of one step: the energy stands on both sides and drops out
  }

  double most_import(std::size_t t) const {
    double most = problem_.site.load[t];
    for (const Device& d : problem_.devices) {
      if (d.battery.grid_to_battery)
        most += charge_bound(d.battery) / d.battery.ac_to_dc_efficiency;
    }
    return std::min(most, problem_.site.import_limit_at(t)) / program_.energy_unit;
  }
  double most_export(std::size_t t) const {
    double most = problem_.site.solar_to_grid ? problem_.site.solar[t] : 0.0;
    for (const Device& d : problem_.devices) {
      if (d.battery.battery_to_grid)
        most += discharge_bound(d.battery) * d.battery.dc_to_ac_efficiency;
    }
    return std::min(most, problem_.site.export_limit_at(t)) / program_.energy_unit;
  }

  void add_binary_columns(std::size_t t) {
    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      column(0, 0, 1, 1);
      entry(charge_row(t, i), -charge_bound(b) / program_.energy_unit);
      entry(discharge_row(t, i), discharge_bound(b) / program_.energy_unit);
    }
    column(0, 0, 1, 1);
    entry(export_row(t), most_export(t));
    entry(import_row(t), -most_import(t));
  }

  void bound_energies() {
    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      for (const Window& window : problem_.devices[i].windows) {
        const std::size_t j = program_.layout.device(window.step, i) + ColumnLayout::kEnergy;
        double& lower = program_.column_lower[j];
        double& upper = program_.column_upper[j];
        lower = std::max(lower, window.low / program_.energy_unit);
        upper = std::min(upper, window.high / program_.energy_unit);
        // What crosses by rounding is a point; other bounds that cross make the program infeasible.
        if (lower > upper && lower - upper <= kRounding * std::abs(lower)) upper = lower;
      }
    }
  }

  void bound_rows(std::size_t t) {
    const double unit = program_.energy_unit;
    const double load = problem_.site.load[t];
    program_.row_upper[at(load_row(t))] = load / unit;
    program_.row_upper[at(solar_row(t))] = problem_.site.solar[t] / unit;
    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      const double before = t == 0 && !problem_.cyclic ? b.initial_energy / unit : 0.0;
      program_.row_lower[at(energy_row(t, i))] = before;
      program_.row_upper[at(energy_row(t, i))] = before;
      const bool exclusive = is_exclusive(t);
      program_.row_upper[at(charge_row(t, i))] = exclusive ? 0.0 : b.charge_limit / unit;
      program_.row_upper[at(discharge_row(t, i))] =
          (exclusive ? discharge_bound(b) : b.discharge_limit) / unit;
    }
    if (has_export_row(t)) {
      program_.row_upper[at(export_row(t))] =
          is_exclusive(t) ? most_export(t) : problem_.site.export_limit_at(t) / unit;
    }
    if (has_import_row(t)) {
      const double limit = is_exclusive(t) ? 0.0 : problem_.site.import_limit_at(t);
      program_.row_upper[at(import_row(t))] = (limit - load) / unit;
    }
  }

  static std::size_t at(std::int32_t row) { return static_cast<std::size_t>(row); }

  const Problem& problem_;
  std::span<const std::uint8_t> exclusive_;
  std::size_t steps_;
  std::size_t exclusive_steps_ = 0;
  std::vector<std::int32_t> first_row_;
  LinearProgram program_;
};

}  // namespace

LinearProgram build_linear_program(const Problem& problem,
                                   std::span<const std::uint8_t> exclusive) {
  return Builder(problem, exclusive).build();
}

double dual_bound(const LinearProgram& program, std::span<const double> row_dual) {
  std::vector<double> dual(row_dual.begin(), row_dual.end());
  double bound = 0;
  for (std::size_t r = 0; r < dual.size(); ++r) {
    const double side = dual[r] > 0 ? program.row_lower[r] : program.row_upper[r];
    if (dual[r] == 0 || !std::isfinite(side)) {
      dual[r] = 0;  // a dual of the wrong sign proves nothing
    } else {
      bound += dual[r] * side;
    }
  }
  for (std::size_t j = 0; j + 1 < program.start.size(); ++j) {
    double reduced = program.column_cost[j];
    const auto first = static_cast<std::size_t>(program.start[j]);
    const auto last = static_cast<std::size_t>(program.start[j + 1]);
    for (std::size_t k = first; k < last; ++k) {
      reduced -= dual[static_cast<std::size_t>(program.index[k])] * program.value[k];
    }
    bound += reduced * (reduced > 0 ? program.column_lower[j] : program.column_upper[j]);
  }
  return bound * program.cost_unit * program.energy_unit + program.offset;
}

}  // namespace bess
