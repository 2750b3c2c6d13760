// The dynamic programme on problems that nobody has: batteries and prices of any size, windows of
// no width, limits of nothing or none, ties everywhere. Each is solved again in the same room: what
// is said must be consistent, the same bits each time, and the last time nothing is allocated for a
// step. Of wild problems (a battery a million times the site, say) no narrow gap is asked.
//
// The sources of cpp/bess that it needs are those that test_fuzz.py names.
//
// fuzz_dynamic_program SEED PROBLEMS
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <vector>

#include "bess/dynamic_program.hpp"
#include "bess/schedule.hpp"
#include "bess/stage_costs.hpp"

namespace {

std::size_t allocations = 0;
constexpr std::size_t kOnce = 12;  // for the builder of stage costs, whatever the number of steps

void* counted(void* memory) {
  ++allocations;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(std::max<std::size_t>(size, 1)));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const std::size_t unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using Series = std::vector<double>;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t count) { return engine_() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double one_of(std::initializer_list<double> values) {
    return values.begin()[below(values.size())];
  }
  // The same in every step, one of a few, or anything up to `most`; the least is `least` of that.
  Series series(std::size_t steps, double most, double least, bool signs) {
    Series values(steps);
    const std::size_t kind = below(4);
    const double once = unit();
    for (double& value : values) {
      value = kind == 0   ? once
              : kind == 1 ? one_of({0.0, 0.0, 0.3, 0.3, 1.0})
              : kind == 2 ? unit()
                          : unit() * one_of({least, 1.0});
      value *= most * (signs && one_in(4) ? -1.0 : 1.0);
    }
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

struct Instance {
  Series load, solar, export_limit, import_limit, inverter_limit, buy, sell;
  std::vector<bess::Device> devices;
  bess::Problem problem;
  double at_stake;  // money
  double rounding;  // money: of stored energies at their own size, at the dearest price
  bool may_idle;    // standing still is a schedule
  bool wild;

  explicit Instance(Chance& chance);
};

Instance::Instance(Chance& chance) {
  const std::size_t steps = 1 + chance.below(chance.one_in(8) ? 400 : 40);
  wild = chance.one_in(3);
  const double size = chance.one_of({1e-6, 1e-3, 1.0, 1.0, 1e3, 1e6});
  const double price = chance.one_of({1e-12, 1e-3, 1.0, 1.0, 1e4});
  const double least = wild ? 1e-12 : 1e-3;
  load = chance.series(steps, size, least, false);
  solar = chance.series(steps, size, least, false);
  buy = chance.series(steps, price, least, chance.one_in(2));
  sell = chance.one_in(3) ? buy : chance.series(steps, price, least, chance.one_in(2));
  if (chance.one_in(2)) {
    for (std::size_t t = 0; t < steps; ++t) sell[t] = std::min(sell[t], buy[t]);
  }
  if (chance.one_in(2)) export_limit = chance.series(steps, size, least, false);
  if (chance.one_in(4)) {
    import_limit = chance.series(steps, size, least, false);
    if (!chance.one_in(4)) {
      for (std::size_t t = 0; t < steps; ++t) import_limit[t] += load[t];
    }
  }
  bess::Battery b{};
  b.capacity = size * (wild ? chance.one_of({1e-6, 1e-2, 1.0, 1e3, 1e6})
                            : chance.one_of({1e-2, 1.0, 3.0, 10.0, 1e3}));
  b.minimum_energy = b.capacity * chance.one_of({0.0, 0.1, 0.5});
  b.maximum_energy = b.capacity * chance.one_of({wild ? 0.5 + 1e-9 : 0.6, 0.9, 1.0});
  b.initial_energy = b.minimum_energy + (b.maximum_energy - b.minimum_energy) *
                                            chance.one_of({0.0, 1.0, 0.5, chance.unit()});
  for (double* limit : {&b.charge_limit, &b.discharge_limit}) {
    *limit = wild ? size * chance.one_of({1e-9, 0.1, 1.0, 1e6})
                  : b.capacity * chance.one_of({1e-3, 0.1, 0.5, 1.0, 20.0});
  }
  for (double* efficiency : {&b.ac_to_dc_efficiency, &b.dc_to_ac_efficiency, &b.input_efficiency}) {
    *efficiency = chance.one_of({1.0, 1.0, 0.96, 0.5, wild ? 1e-3 : 0.8});
  }
  b.degradation_cost = price * chance.one_of({0.0, 0.0, 0.1, 10.0});
  b.retention = 1;
  b.dc_coupled = chance.one_in(2);
  if (b.dc_coupled && chance.one_in(3)) {
    inverter_limit = chance.series(steps, size, least, false);
  }
  b.grid_to_battery = !chance.one_in(3);
  b.battery_to_grid = !chance.one_in(3);
  b.solar_to_battery = !chance.one_in(3);
  std::vector<bess::Window> windows;
  may_idle = import_limit.empty();
  for (std::size_t i = chance.below(4); i > 0; --i) {
    double low = b.minimum_energy + (b.maximum_energy - b.minimum_energy) * chance.unit();
    double high = chance.one_in(2) ? low : b.maximum_energy;
    if (chance.one_in(2)) low = std::min(low, b.initial_energy), high = b.maximum_energy;
    may_idle = may_idle && low <= b.initial_energy && b.initial_energy <= high;
    windows.push_back({chance.below(steps), low, high});
  }
  std::sort(windows.begin(), windows.end(),
            [](const bess::Window& a, const bess::Window& c) { return a.step < c.step; });
  devices.push_back({b, 10, 10, windows, {}});
  problem.site.load = load;
  problem.site.solar = solar;
  problem.site.export_limit = export_limit;
  problem.site.import_limit = import_limit;
  problem.site.inverter_limit = inverter_limit;
  problem.site.solar_dc_to_ac_efficiency = chance.one_of({1.0, 0.96, 0.5});
  problem.site.solar_to_grid = !chance.one_in(4);
  problem.import_price = buy;
  problem.export_price = sell;
  problem.devices = devices;
  problem.cyclic = false;
  at_stake = b.degradation_cost * b.capacity;
  const double power = std::min(b.capacity, std::max(b.charge_limit, b.discharge_limit));
  rounding = 1e-11 * b.capacity * b.degradation_cost;
  const double way = b.ac_to_dc_efficiency * b.input_efficiency * b.dc_to_ac_efficiency;
  for (std::size_t t = 0; t < steps; ++t) {
    rounding = std::max(rounding,
                        1e-11 * b.capacity * std::max(std::abs(buy[t]), std::abs(sell[t])) / way);
    at_stake += (std::abs(buy[t]) + std::abs(sell[t])) * (load[t] + solar[t] + power);
    at_stake += b.degradation_cost * power;
  }
}

struct Room {
  bess::StageCosts costs;
  bess::DynamicProgram program;
};

struct Answer {
  bool feasible = false;
  double cost = 0;
  double bound = 0;
  Series energy, worth, flows, device_flows;

  explicit Answer(std::size_t steps)
      : energy(steps),
        worth(steps),
        flows(10 * steps),
        device_flows(bess::kDeviceSeriesCount * steps) {}

  void solve(const bess::Problem& problem, Room& room) {
    feasible = false;
    if (!room.costs.build(problem)) return;
    const bess::Optimum optimum = room.program.solve(problem, room.costs, energy, worth);
    if (!optimum.feasible) return;
    const std::size_t steps = energy.size();
    const bess::Schedule schedule =
        bess::write_schedule(problem, energy, {flows.data(), steps}, {device_flows.data(), steps});
    feasible = schedule.feasible;
    cost = schedule.cost;
    bound = optimum.lower_bound;
  }
};

bool same(const Series& a, const Series& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// The cost if the battery stands still and import is not limited.
double idle_cost(const bess::Problem& problem) {
  double cost = 0;
  for (std::size_t t = 0; t < problem.site.steps(); ++t) {
    const bess::Step step = problem.step(t);
    const double net = step.load - step.solar;
    const double room = problem.site.solar_to_grid ? step.export_limit : 0.0;
    const double least = std::max(net, -room);
    const double most = std::max(least, net > 0 ? step.load : 0.0);
    double best = least > 0 ? step.import_price * least : step.export_price * least;
    if (net <= 0) best = std::min(best, 0.0);
    best = std::min(best, step.import_price * (most > 0 ? most : std::max(least, 0.0)));
    cost += best;
  }
  return cost;
}

const char* fault(const Instance& instance, Answer& first, Answer& second, Room& room) {
  const bess::Problem& problem = instance.problem;
  first.solve(problem, room);
  second.solve(problem, room);
  const std::size_t before = allocations;
  second.solve(problem, room);
  if (allocations - before > kOnce) return "a third solve allocates";
  if (first.feasible != second.feasible) return "a second solve has another verdict";
  if (!first.feasible) return instance.may_idle ? "standing still is a schedule" : nullptr;
  if (!same(first.energy, second.energy) || !same(first.worth, second.worth) ||
      !same(first.flows, second.flows) || first.bound != second.bound) {
    return "a second solve finds other bits";
  }
  const bess::Battery& b = instance.devices.front().battery;
  const double close = 1e-9 * b.capacity;
  for (const double s : first.energy) {
    if (!(s >= b.minimum_energy - close && s <= b.maximum_energy + close)) return "stored energy";
  }
  for (const bess::Window& window : instance.devices.front().windows) {
    const double s = first.energy[window.step];
    if (!(s >= window.low - close && s <= window.high + close)) return "a window is missed";
  }
  const std::size_t signed_row = static_cast<std::size_t>(bess::Series::kNetLoad);
  for (std::size_t i = 0; i < first.flows.size(); ++i) {
    const bool is_signed = i / first.energy.size() == signed_row;
    if (!std::isfinite(first.flows[i]) || (!is_signed && first.flows[i] < 0)) return "a flow";
  }
  const double little = 1e-9 * instance.at_stake + instance.rounding;
  if (!instance.wild && !(std::abs(first.cost - first.bound) <= little)) {
    return "the bound is not the cost";
  }
  const bool known = instance.may_idle && instance.inverter_limit.empty();
  if (!instance.wild && known && !(first.cost <= idle_cost(problem) + little)) {
    return "standing still is cheaper";
  }
  return nullptr;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  Chance chance(std::strtoull(arguments[1], nullptr, 10));
  Room room;
  std::size_t feasible = 0;
  const std::size_t problems = std::strtoull(arguments[2], nullptr, 10);
  for (std::size_t i = 0; i < problems; ++i) {
    const Instance instance(chance);
    Answer first(instance.load.size());
    Answer second(instance.load.size());
    const char* const wrong = fault(instance, first, second, room);
    feasible += first.feasible ? 1 : 0;
    if (wrong != nullptr) {
      std::printf("problem %zu: %s; cost %.17g, bound %.17g, at stake %.3g\n", i, wrong, first.cost,
                  first.bound, instance.at_stake);
      return 1;
    }
  }
  std::printf("%zu of %zu problems have a schedule\n", feasible, problems);
  return 0;
}
