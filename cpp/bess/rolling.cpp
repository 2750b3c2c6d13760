// Every plan is a problem over a part of the series, solved by the dynamic programme in room that
// is used again. Only stored energies are followed here: what flows they mean is worked out once,
// for the whole horizon, from the actual load and solar (schedule.hpp).
#include "bess/rolling.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bess/corridor.hpp"
#include "bess/dynamic_program.hpp"
#include "bess/stage_costs.hpp"

namespace bess {
namespace {

constexpr double kRounding = 1e-12;  // relative to the capacity
constexpr double kSame = 1e-9;       // prices are the same within this part

class Planner {
 public:
  Planner(const Problem& actual, std::size_t horizon)
      : actual_(actual), windows_(actual.devices.front().windows), device_(actual.devices.front()) {
    energy_.resize(horizon);
    worth_.resize(horizon);
  }

  // Plans the steps from `first` on; false where something had to be relaxed.
  bool plan(std::size_t first, std::span<const double> load, std::span<const double> solar,
            double energy) {
    const std::size_t count = load.size();
    Site site = actual_.site.part(first, count);
    site.load = load;
    site.solar = solar;
    // Where self-discharge took it below its minimum, a plan asks for no more than is there.
    device_.battery.initial_energy = energy;
    device_.battery.minimum_energy =
        std::min(actual_.devices.front().battery.minimum_energy, energy);
    device_.windows.clear();
    const auto begins =
        std::lower_bound(windows_.begin(), windows_.end(), first,
                         [](const Window& window, std::size_t step) { return window.step < step; });
    for (auto w = begins; w != windows_.end() && w->step < first + count; ++w) {
      device_.windows.push_back({w->step - first, w->low, w->high});
    }
    const Problem problem{
        .site = site,
        .import_price = actual_.import_price.subspan(first, count),
        .export_price = actual_.export_price.subspan(first, count),
        .devices = {&device_, 1},
        .cyclic = false,
    };
    const bool is_told = !actual_.devices.front().end_worth.empty();
    if (!is_told && first + count < actual_.site.steps()) {
      device_.end_worth.assign(1, {end_value(site, first), kNoLimit});
    } else if (!is_told) {
      device_.end_worth.clear();
    }
    return solve(problem) || relax(problem);
  }

  // The stored energy after step `i` of the plan, and what one more kWh is worth in it.
  double energy(std::size_t i) const { return energy_[i]; }
  double worth(std::size_t i) const { return worth_[i]; }

 private:
  bool solve(const Problem& problem) {
    const std::size_t steps = problem.site.steps();
    return costs_.build(problem) &&
           program_.solve(problem, costs_, {energy_.data(), steps}, {worth_.data(), steps})
               .feasible;
  }

  // Always false. What no schedule meets is left out, or met as nearly as can be.
  bool relax(Problem problem) {
    const Battery& b = device_.battery;
    const double e = b.initial_energy;
    Corridor corridor = make_corridor(problem.site, b, device_.windows, e, e);
    if (corridor.infeasible_step >= 0) {
      problem.site.import_limit = {};
      corridor = make_corridor(problem.site, b, device_.windows, e, e);
    }
    device_.windows = corridor.attained;
    if (!solve(problem)) {
      double left = e;
      for (std::size_t i = 0; i < problem.site.steps(); ++i) energy_[i] = left *= b.retention;
      std::fill_n(worth_.begin(), problem.site.steps(), 0.0);
    }
    return false;
  }

  // What one more kWh left at the end will save or earn, money per kWh DC.
  double end_value(const Site& site, std::size_t first) const {
    const Battery& b = device_.battery;
    double deficit = 0;
    double cost = 0;
    double sold = 0;
    for (std::size_t i = 0; i < site.steps(); ++i) {
      const double lacking = std::max(site.load[i] - site.solar[i], 0.0);
      deficit += lacking;
      cost += lacking * actual_.import_price[first + i];
      sold += actual_.export_price[first + i];
    }
    double gain = b.battery_to_grid ? sold / static_cast<double>(site.steps()) : 0.0;
    if (deficit > 0) gain = std::max(gain, cost / deficit);
    // A mean of like prices is that price to the bit: what earns as much later is left alone.
    for (std::size_t i = 0; i < site.steps(); ++i) {
      for (const double price :
           {actual_.import_price[first + i], actual_.export_price[first + i]}) {
        if (std::abs(price - gain) <= kSame * std::abs(price)) gain = price;
      }
    }
    return std::max(gain * b.dc_to_ac_efficiency - b.degradation_cost, 0.0);
  }

  const Problem& actual_;
  std::span<const Window> windows_;
  Device device_;
  StageCosts costs_;
  DynamicProgram program_;
  std::vector<double> energy_;
  std::vector<double> worth_;
};

}  // namespace

double carry_out(const Site& site, const Battery& battery, std::span<const Window> windows,
                 std::size_t t, double least, double energy, double change,
                 Shortfalls& shortfalls) {
  energy *= battery.retention;
  const ChangeRange range = change_range(site, battery, t);
  const double rounding = kRounding * battery.capacity;
  double low = least;
  double high = battery.maximum_energy;
  if (energy + range.most < low - rounding || range.most < range.least - rounding) {
    shortfalls.over_import_limit.push_back(t);
  }
  auto window = std::lower_bound(windows.begin(), windows.end(), t,
                                 [](const Window& w, std::size_t step) { return w.step < step; });
  double after = energy + change;
  for (; window != windows.end() && window->step == t; ++window) {
    after = std::min(std::max(after, window->low), window->high);
  }
  low = std::max(low, energy + range.least);
  high = std::min(high, energy + range.most);
  return std::clamp(std::min(std::max(after, low), high), least, battery.maximum_energy);
}

void roll(const Problem& actual, const Forecast& forecast, const Replanning& replanning,
          std::size_t first, std::size_t last, double energy, std::span<double> energies,
          std::span<double> worths, Shortfalls& shortfalls) {
  assert(actual.devices.size() == 1 && !actual.cyclic && !actual.solar_metered_apart);
  assert(1 <= replanning.steps && replanning.steps <= replanning.horizon);
  const Device& device = actual.devices.front();
  const std::size_t steps = actual.site.steps();
  const std::vector<double> kept = least_energies(actual.site, device.battery);
  Planner planner(actual, std::min(replanning.horizon, steps));
  std::size_t number = 0;
  for (std::size_t begin = first; begin < last; begin += replanning.steps, ++number) {
    const std::size_t count = std::min(replanning.horizon, steps - begin);
    const auto of_plan = [&](const Expected& expected) {
      return expected.values.subspan(number * expected.stride, count);
    };
    if (!planner.plan(begin, of_plan(forecast.load), of_plan(forecast.solar), energy)) {
      shortfalls.relaxed_plans.push_back(begin);
    }
    const std::size_t end = std::min(begin + replanning.steps, last);
    double before = energy;
    for (std::size_t t = begin; t < end; ++t) {
      const double planned = planner.energy(t - begin);
      worths[t - first] = planner.worth(t - begin);
      const double least = kept.empty() ? device.battery.minimum_energy : kept[t];
      energy = carry_out(actual.site, device.battery, device.windows, t, least, energy,
                         planned - before * device.battery.retention, shortfalls);
      energies[t - first] = energy;
      before = planned;
    }
  }
}

}  // namespace bess
