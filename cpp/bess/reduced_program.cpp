// With 0 <= export price <= import price and losses both ways, a step draws energy first to replace
// import, then to earn exports, then for nothing; it stores first what would be curtailed, then
// what would be exported, then what costs import. Each way is a column as wide as it reaches once
// the power limit is spent in that order, so no row is needed for load, sun or power.
#include "bess/reduced_program.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bess/program_units.hpp"
#include "bess/step_range.hpp"

namespace bess {
namespace {

class Builder {
 public:
  explicit Builder(const Problem& problem)
      : problem_(problem),
        device_(problem.devices.front()),
        battery_(device_.battery),
        terms_(terms_of(problem.site, device_, charge_bound(battery_), discharge_bound(battery_))),
        steps_(problem.site.steps()) {}

  LinearProgram build() {
    choose_units(problem_, program_);
    program_.layout = {1};
    program_.has_flows = false;
    make_room();
    for (std::size_t t = 0; t < steps_; ++t) add_step(t);
    program_.step_column.push_back(columns());
    program_.start.push_back(static_cast<std::int32_t>(program_.index.size()));
    program_.integrality.assign(program_.column_cost.size(), 0);
    bound_energies(problem_, program_);
    value_end(problem_, program_);
    return std::move(program_);
  }

 private:
  void make_room() {
    constexpr std::size_t kColumns = 6;  // at most, of a step
    for (auto* numbers :
         {&program_.column_cost, &program_.tie_cost, &program_.column_lower, &program_.column_upper,
          &program_.import_per_column, &program_.export_per_column, &program_.drawn_per_column}) {
      numbers->reserve(kColumns * steps_);
    }
    program_.start.reserve(kColumns * steps_ + 1);
    program_.step_column.reserve(steps_ + 1);
    program_.base_import.resize(steps_);
    program_.base_export.resize(steps_);
    program_.index.reserve((kColumns + 1) * steps_);
    program_.value.reserve((kColumns + 1) * steps_);
    program_.row_lower.assign(steps_, 0.0);
    if (!problem_.cyclic)
      program_.row_lower[0] = battery_.initial_energy * battery_.retention / program_.energy_unit;
    program_.row_upper = program_.row_lower;
  }

  std::int32_t columns() const { return static_cast<std::int32_t>(program_.column_cost.size()); }

  void open_column(double cost, double throughput, double lower, double upper) {
    program_.start.push_back(static_cast<std::int32_t>(program_.index.size()));
    program_.column_cost.push_back(cost / program_.cost_unit);
    program_.tie_cost.push_back(kTieCost * throughput);
    program_.column_lower.push_back(lower / program_.energy_unit);
    program_.column_upper.push_back(upper / program_.energy_unit);
  }
  void entry(std::size_t row, double value) {
    program_.index.push_back(static_cast<std::int32_t>(row));
    program_.value.push_back(value);
  }

  // A way to store or draw: `width` kWh AC of it, each of which takes `per_kwh` of the power that
  // is `left`, adds `stored` to the energy and crosses the meter as `imported` and `exported`.
  struct Way {
    double width;
    double per_kwh;
    double stored;
    double throughput;
    double imported;
    double exported;
  };
  void add_way(std::size_t t, const Way& way, double& left) {
    const double width = std::min(way.width, left / way.per_kwh);
    if (!(in_units(width, program_.energy_unit) > 0)) return;
    left = std::max(left - width * way.per_kwh, 0.0);
    const double wear = way.stored < 0 ? terms_.wear : 0.0;
    open_column(
        wear + way.imported * problem_.import_price[t] - way.exported * problem_.export_price[t],
        way.throughput, 0, width);
    program_.import_per_column.push_back(way.imported);
    program_.export_per_column.push_back(way.exported);
    program_.drawn_per_column.push_back(std::max(-way.stored, 0.0));
    entry(t, -way.stored);
  }

  void add_step(std::size_t t) {
    program_.step_column.push_back(columns());
    const Step step = problem_.step(t);
    const Energies<double, true> energies = energies_at(problem_.site, battery_, t);
    const double deficit = energies.deficit();
    const double sold = energies.exported();
    program_.base_import[t] = deficit;
    program_.base_export[t] = sold;
    program_.offset += step.import_price * deficit - step.export_price * sold;
    add_discharge(t, energies);
    add_charge(t, energies);
    open_column(0, 0, battery_.minimum_energy, battery_.maximum_energy);
    program_.import_per_column.push_back(0);
    program_.export_per_column.push_back(0);
    program_.drawn_per_column.push_back(0);
    add_energy_entries(t);
  }

  void add_discharge(std::size_t t, const Energies<double, true>& energies) {
    double left = terms_.most_to_site;  // kWh AC
    const double sold = energies.exported();
    double room = battery_.battery_to_grid ? energies.battery_outlet - sold : 0.0;
    if (problem_.site.solar_to_grid) {  // serving the site frees its sun for the grid
      const double freed = std::min(energies.load, energies.solar);
      room = std::max(room, std::min(energies.solar_outlet - sold, freed));
    }
    const double displaced = energies.beside_sun(energies.deficit());
    const double added = energies.beside_sun(displaced + std::max(room, 0.0)) - displaced;
    const double outlet = energies.through_inverter(energies.load + energies.battery_outlet);
    const double stored = -terms_.per_discharge;
    const double throughput = terms_.discharge_tie;
    add_way(t, {displaced, 1, stored, throughput, -1, 0}, left);
    add_way(t, {added, 1, stored, throughput, 0, 1}, left);
    add_way(t, {outlet - displaced - added, 1, stored, throughput, 0, 0}, left);
  }

  void add_charge(std::size_t t, const Energies<double, true>& energies) {
    double left = charge_bound(battery_);  // kWh DC
    const double from_sun = terms_.solar_ratio;
    const double sun_stored = from_sun * terms_.stored_per_charge;
    const double tie = terms_.charge_tie;
    if (battery_.solar_to_battery) {
      const double sold = energies.exported();
      const double diverted = std::min(energies.load, energies.sun());
      add_way(t, {energies.surplus() - sold, from_sun, sun_stored, tie * from_sun, 0, 0}, left);
      add_way(t, {sold, from_sun, sun_stored, tie * from_sun, 0, -1}, left);
      if (!battery_.grid_to_battery || from_sun > terms_.grid_ratio) {
        add_way(t, {diverted, from_sun, sun_stored, tie * from_sun, 1, 0}, left);
      }
    }
    if (battery_.grid_to_battery) {
      const double ratio = terms_.grid_ratio;
      add_way(t,
              {energies.inverter_limit, ratio, ratio * terms_.stored_per_charge, tie * ratio, 1, 0},
              left);
    }
  }

  void add_energy_entries(std::size_t t) {
    const bool last = t + 1 == steps_;
    if (!last) {
      entry(t, 1);
      entry(t + 1, -battery_.retention);
    } else if (!problem_.cyclic) {
      entry(t, 1);
    } else if (steps_ > 1) {
      entry(0, -battery_.retention);
      entry(t, 1);
    } else if (!kept_in_one_step(battery_)) {
      entry(0, 1 - battery_.retention);
    }  // a cycle of one step: the energy stands on both sides and drops out
  }

  const Problem& problem_;
  const Device& device_;
  const Battery& battery_;
  DeviceTerms terms_;
  std::size_t steps_;
  LinearProgram program_;
};

}  // namespace

bool has_known_merit(const Problem& problem) {
  if (problem.devices.size() != 1 || !problem.site.import_limit.empty()) return false;
  const Battery& b = problem.devices.front().battery;
  const bool sun = largest(problem.site.solar) > 0;
  if (sun && problem.solar_metered_apart) return false;
  const double solar_ratio = b.solar_charge_ratio(problem.site.solar_dc_to_ac_efficiency);
  if (sun && (!b.solar_to_battery || solar_ratio < b.ac_to_dc_efficiency)) return false;
  if (sun && b.battery_to_grid && !problem.site.solar_to_grid) return false;
  const double best_ratio = sun ? solar_ratio : b.ac_to_dc_efficiency;
  return best_ratio * b.input_efficiency * b.dc_to_ac_efficiency <= 1.0;
}

LinearProgram build_reduced_program(const Problem& problem) {
  assert(has_known_merit(problem));
  return Builder(problem).build();
}

}  // namespace bess
