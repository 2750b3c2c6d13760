// Grid-to-site and curtailment are the slacks of the load and the solar row, so a step of one
// battery has seven columns and five rows, and stored energy is a recursion, never a running sum.
#include "bess/linear_program.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bess/program_units.hpp"
#include "bess/row_layout.hpp"

namespace bess {
namespace {

constexpr double kInfinity = kNoLimit;
// In units of the largest price: small against any price difference, large against tolerances.
constexpr double kTieCost = 1e-7;

// What a kWh in a column adds to the meter's import and export.
struct Meter {
  double imported = 0;
  double exported = 0;
  double drawn = 0;  // and to what leaves the cells, kWh DC
};
constexpr Meter kImports{1, 0};
constexpr Meter kReplacesImport{-1, 0};
constexpr Meter kExports{0, 1};

class Builder {
 public:
  Builder(const Problem& problem, std::span<const std::uint8_t> exclusive)
      : problem_(problem), steps_(problem.site.steps()), rows_(problem, exclusive) {
    program_.layout = {problem.devices.size()};
    choose_units(problem, program_);
    make_room();
    for (const Device& device : problem.devices) {
      const Battery& b = device.battery;
      free_terms_.push_back(terms_of(problem.site, device, b.charge_limit, b.discharge_limit));
      exclusive_terms_.push_back(
          terms_of(problem.site, device, charge_bound(b), discharge_bound(b)));
    }
  }

  LinearProgram build() {
    for (std::size_t t = 0; t < steps_; ++t) add_step_columns(t);
    for (std::size_t t = 0; t < steps_; ++t) {
      if (rows_.is_exclusive(t)) add_binary_columns(t);
    }
    program_.start[column_] = static_cast<std::int32_t>(entry_);
    assert(column_ + 1 == program_.start.size() && entry_ == program_.index.size());
    bound_energies(problem_, program_);
    value_end(problem_, program_);
    for (std::size_t t = 0; t < steps_; ++t) {
      bound_rows(t);
      program_.offset += problem_.import_price[t] * problem_.site.load[t];
    }
    return std::move(program_);
  }

 private:
  void make_room() {
    const std::size_t devices = problem_.devices.size();
    const std::size_t columns =
        steps_ * program_.layout.per_step() + rows_.exclusive_steps() * (devices + 1);
    for (auto* numbers :
         {&program_.column_cost, &program_.tie_cost, &program_.column_lower, &program_.column_upper,
          &program_.import_per_column, &program_.export_per_column, &program_.drawn_per_column}) {
      numbers->resize(columns);
    }
    program_.base_import.assign(problem_.site.load.begin(), problem_.site.load.end());
    program_.base_export.assign(steps_, 0.0);
    program_.step_column.resize(steps_ + 1);
    for (std::size_t t = 0; t <= steps_; ++t) {
      program_.step_column[t] = static_cast<std::int32_t>(t * program_.layout.per_step());
    }
    program_.start.resize(columns + 1);
    program_.integrality.resize(columns);
    std::size_t entries =
        steps_ * (3 + 12 * devices) + rows_.exclusive_steps() * (2 * devices + 2) +
        rows_.export_rows() * (1 + devices) + rows_.import_rows() * (1 + 2 * devices) +
        rows_.inverter_rows() * (2 + 2 * devices);
    for (const Device& device : problem_.devices) entries -= 2 - last_entries(device.battery);
    program_.index.resize(entries);
    program_.value.resize(entries);
    program_.row_lower.assign(rows_.size(), -kInfinity);
    program_.row_upper.resize(rows_.size());
  }

  // Opens the next column; money per kWh and kWh in, the program's units stored.
  void column(double cost, double throughput, double lower, double upper, Meter meter = {}) {
    write_column(cost / program_.cost_unit, kTieCost * throughput, in_units(lower),
                 std::max(in_units(upper), 0.0), 0, meter);
  }
  double in_units(double energy) const { return bess::in_units(energy, program_.energy_unit); }
  void binary_column() { write_column(0, 0, 0, 1, 1, {}); }
  void write_column(double cost, double tie_cost, double lower, double upper, std::int32_t integer,
                    Meter meter) {
    program_.start[column_] = static_cast<std::int32_t>(entry_);
    program_.column_cost[column_] = cost;
    program_.tie_cost[column_] = tie_cost;
    program_.column_lower[column_] = lower;
    program_.column_upper[column_] = upper;
    program_.integrality[column_] = integer;
    program_.import_per_column[column_] = meter.imported;
    program_.export_per_column[column_] = meter.exported;
    program_.drawn_per_column[column_] = meter.drawn;
    ++column_;
  }
  void entry(std::int32_t row, double value) {
    program_.index[entry_] = row;
    program_.value[entry_] = value;
    ++entry_;
  }

  void add_step_columns(std::size_t t) {
    const Step step = problem_.step(t);
    const bool exports = rows_.has_export(t);
    const bool imports = rows_.has_import(t);
    const bool inverts = rows_.has_inverter(t);
    const std::int32_t load = rows_.load(t);
    const std::int32_t solar = rows_.solar(t);
    const double sold = problem_.site.solar_to_grid ? std::min(step.solar, step.export_limit) : 0.0;
    const bool apart = problem_.solar_metered_apart;
    column(-step.import_price, 0, 0, apart ? 0.0 : std::min(step.load, step.solar),
           kReplacesImport);
    entry(load, 1);
    entry(solar, 1);
    if (imports) entry(rows_.import_row(t), -1);
    if (inverts) entry(rows_.inverter_row(t), 1);
    column(-step.export_price, 0, 0, sold, kExports);
    entry(solar, 1);
    // What the sun exports through a meter of its own does not bar the site's from importing.
    if (exports) entry(rows_.export_row(t), apart && rows_.is_exclusive(t) ? 0 : 1);
    if (inverts) entry(rows_.inverter_row(t), 1);

    const std::vector<DeviceTerms>& terms = rows_.is_exclusive(t) ? exclusive_terms_ : free_terms_;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      const DeviceTerms& d = terms[i];
      const std::int32_t energy = rows_.energy(t, i);
      const std::int32_t charge = rows_.charge(t, i);
      const std::int32_t discharge = rows_.discharge(t, i);
      column(0, d.charge_tie, 0, std::min(d.most_from_solar, step.solar * d.solar_ratio));
      entry(solar, d.solar_per_charge);
      entry(energy, -d.stored_per_charge);
      entry(charge, 1);

      column(step.import_price, d.charge_tie * d.grid_ratio, 0,
             std::min(d.most_from_grid, step.inverter_limit), kImports);
      entry(energy, -d.grid_ratio * d.stored_per_charge);
      entry(charge, d.grid_ratio);
      if (imports) entry(rows_.import_row(t), 1);

      column(d.wear - step.import_price, d.discharge_tie, 0, std::min(step.load, d.most_to_site),
             {-1, 0, d.per_discharge});
      entry(load, 1);
      entry(energy, d.per_discharge);
      entry(discharge, d.per_discharge);
      if (imports) entry(rows_.import_row(t), -1);
      if (inverts) entry(rows_.inverter_row(t), 1);

      column(d.wear - step.export_price, d.discharge_tie, 0,
             std::min(step.export_limit, d.most_to_grid), {0, 1, d.per_discharge});
      entry(energy, d.per_discharge);
      entry(discharge, d.per_discharge);
      if (exports) entry(rows_.export_row(t), 1);
      if (inverts) entry(rows_.inverter_row(t), 1);

      const Battery& b = problem_.devices[i].battery;
      column(0, 0, b.minimum_energy, b.maximum_energy);
      add_energy_entries(t, i);
    }
  }

  // How many entries the energy after the last step has.
  std::size_t last_entries(const Battery& b) const {
    if (!problem_.cyclic) return 1;
    return steps_ > 1 ? 2 : kept_in_one_step(b) ? 0 : 1;
  }

  void add_energy_entries(std::size_t t, std::size_t i) {
    const Battery& b = problem_.devices[i].battery;
    const bool last = t + 1 == steps_;
    if (!last) {
      entry(rows_.energy(t, i), 1);
      entry(rows_.energy(t + 1, i), -b.retention);
    } else if (!problem_.cyclic) {
      entry(rows_.energy(t, i), 1);
    } else if (steps_ > 1) {
      entry(rows_.energy(0, i), -b.retention);
      entry(rows_.energy(t, i), 1);
    } else if (!kept_in_one_step(b)) {
      entry(rows_.energy(0, i), 1 - b.retention);
    }  // a cycle of one step: the energy stands on both sides and drops out
  }

  double most_import(std::size_t t) const {
    double most = problem_.site.load[t];
    for (const Device& d : problem_.devices) {
      if (d.battery.grid_to_battery)
        most += charge_bound(d.battery) / d.battery.ac_to_dc_efficiency;
    }
    return in_units(std::min(most, problem_.site.import_limit_at(t)));
  }
  double most_export(std::size_t t) const {
    const bool sun = problem_.site.solar_to_grid && !problem_.solar_metered_apart;
    double most = sun ? problem_.site.solar[t] : 0.0;
    for (const Device& d : problem_.devices) {
      if (d.battery.battery_to_grid)
        most += discharge_bound(d.battery) * d.battery.dc_to_ac_efficiency;
    }
    return in_units(std::min(most, problem_.site.export_limit_at(t)));
  }

  void add_binary_columns(std::size_t t) {
    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      binary_column();
      entry(rows_.charge(t, i), -in_units(charge_bound(b)));
      entry(rows_.discharge(t, i), in_units(discharge_bound(b)));
    }
    binary_column();
    entry(rows_.export_row(t), most_export(t));
    entry(rows_.import_row(t), -most_import(t));
  }

  void bound_rows(std::size_t t) {
    const double load = problem_.site.load[t];
    program_.row_upper[at(rows_.load(t))] = in_units(load);
    program_.row_upper[at(rows_.solar(t))] = in_units(problem_.site.solar[t]);
    for (std::size_t i = 0; i < problem_.devices.size(); ++i) {
      const Battery& b = problem_.devices[i].battery;
      const double before =
          t == 0 && !problem_.cyclic ? in_units(b.initial_energy * b.retention) : 0.0;
      program_.row_lower[at(rows_.energy(t, i))] = before;
      program_.row_upper[at(rows_.energy(t, i))] = before;
      const bool exclusive = rows_.is_exclusive(t);
      program_.row_upper[at(rows_.charge(t, i))] = exclusive ? 0.0 : in_units(b.charge_limit);
      program_.row_upper[at(rows_.discharge(t, i))] =
          in_units(exclusive ? discharge_bound(b) : b.discharge_limit);
    }
    if (rows_.has_export(t)) {
      program_.row_upper[at(rows_.export_row(t))] =
          rows_.is_exclusive(t) ? most_export(t) : in_units(problem_.site.export_limit_at(t));
    }
    if (rows_.has_import(t)) {
      const double limit = rows_.is_exclusive(t) ? 0.0 : problem_.site.import_limit_at(t);
      program_.row_upper[at(rows_.import_row(t))] = in_units(limit) - in_units(load);
    }
    if (rows_.has_inverter(t)) {
      program_.row_upper[at(rows_.inverter_row(t))] = in_units(problem_.site.inverter_limit_at(t));
    }
  }

  static std::size_t at(std::int32_t row) { return static_cast<std::size_t>(row); }

  const Problem& problem_;
  std::size_t steps_;
  RowLayout rows_;
  std::vector<DeviceTerms> free_terms_;  // of each device
  std::vector<DeviceTerms> exclusive_terms_;
  std::size_t column_ = 0;  // the next to be written
  std::size_t entry_ = 0;
  LinearProgram program_;
};

}  // namespace

LinearProgram build_linear_program(const Problem& problem,
                                   std::span<const std::uint8_t> exclusive) {
  return Builder(problem, exclusive).build();
}

double dual_bound(const LinearProgram& program, std::span<const double> row_dual,
                  std::span<const double> column_lower, std::span<const double> column_upper) {
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
    bound += reduced * (reduced > 0 ? column_lower[j] : column_upper[j]);
  }
  return bound * program.cost_unit * program.energy_unit + program.offset;
}

}  // namespace bess
