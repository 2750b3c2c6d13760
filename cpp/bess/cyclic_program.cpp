// Let G(a, b) be the least cost from a kWh stored before the first step to b after the last; sought
// is the least G(a, a). At a price p for each kWh at the start that the end earns, the dynamic
// programme finds D(p) = min over a, b of G(a, b) + p (a - b) at once, and D(p) <= G(a, a) whatever
// p is. D is concave, and every schedule a line above it, of the slope a - b. Where G is convex the
// best p is where two such lines cross that fall and rise: both schedules are optimal at it, and so
// is the mean of them that ends as it starts, and whatever else goes from there to there.
//
// Where G is not convex, the range of a is cut in two until the bounds of all parts that are left
// meet the best schedule.
#include "bess/cyclic_program.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace bess {
namespace {

constexpr std::size_t kMostRuns = 300;
constexpr int kMostDoublings = 40;
constexpr double kSame = 1e-12;  // relative to the capacity

}  // namespace

Optimum CyclicProgram::solve(const Problem& problem, const StageCosts& costs,
                             std::span<double> energy, std::span<double> worth) {
  assert(problem.cyclic);
  problem_ = &problem;
  costs_ = &costs;
  energy_ = energy;
  worth_ = worth;
  const Battery& b = problem.devices.front().battery;
  steepest_ = b.degradation_cost;
  double flowing = 0;  // money, about
  for (std::size_t t = 0; t < problem.site.steps(); ++t) {
    const double bought = std::abs(problem.import_price[t]);
    const double sold = std::abs(problem.export_price[t]);
    steepest_ = std::max({steepest_, bought, sold});
    flowing += std::max(problem.site.load[t] * bought, problem.site.solar[t] * sold);
  }
  if (steepest_ == 0) steepest_ = 1;
  same_energy_ = kSame * b.capacity;
  same_cost_ = kSame * (steepest_ * b.capacity + flowing);
  runs_ = 0;
  best_ = {0, kNoLimit, 0, 0, 0};
  double bound = kNoLimit;  // of the parts that are done with
  open_.assign(1, {b.minimum_energy, b.maximum_energy, 0, -kNoLimit});
  while (!open_.empty()) {
    std::size_t least = 0;
    for (std::size_t i = 1; i < open_.size(); ++i) {
      if (open_[i].bound < open_[least].bound) least = i;
    }
    Node node = open_[least];
    open_[least] = open_.back();
    open_.pop_back();
    const double start = search(node);
    bound = std::min(bound, best_.cost);
    const double width = node.high - node.low;
    if (node.bound >= best_.cost - same_cost_ || costs.kinks() == 0 || runs_ > kMostRuns ||
        width <= 100 * same_energy_) {
      bound = std::min(bound, node.bound);
      continue;
    }
    const bool inside = start > node.low + 0.1 * width && start < node.high - 0.1 * width;
    const double middle = inside ? start : 0.5 * (node.low + node.high);
    open_.push_back({node.low, middle, node.price, node.bound});
    open_.push_back({middle, node.high, node.price, node.bound});
  }
  if (!(best_.cost < kNoLimit)) return {false, 0, 0, 0, 0, 0};
  Optimum optimum = solve_from(best_.start, best_.price);
  optimum.start = energy.back();
  optimum.lower_bound = std::min(bound, optimum.value);
  return optimum;
}

// The best schedule that ends as it starts, with `start`; at the edge of what is possible, but for
// rounding.
Optimum CyclicProgram::solve_from(double start, double price) {
  Optimum optimum{};
  for (const double slack : {0.0, 2 * same_energy_}) {
    ++runs_;
    const Ends ends{start, start, price, start - slack, start + slack, price};
    optimum = program_.solve(*problem_, *costs_, ends, energy_, worth_);
    if (optimum.feasible) break;
  }
  return optimum;
}

// None where nothing is feasible.
std::optional<CyclicProgram::Trial> CyclicProgram::run(const Node& node, double price) {
  ++runs_;
  const Ends ends{node.low, node.high, price, node.low, node.high, price};
  const Optimum optimum = program_.solve(*problem_, *costs_, ends, energy_, worth_);
  if (!optimum.feasible) return std::nullopt;
  double surplus = optimum.start - energy_.back();
  if (std::abs(surplus) <= same_energy_) surplus = 0;
  return Trial{price, optimum.value - price * surplus, optimum.start, surplus, optimum.lower_bound};
}

void CyclicProgram::keep(const Trial& trial) {
  if (trial.cost < best_.cost) best_ = trial;
}

// Raises the node's bound as far as prices do, and tries the schedule they lead to, whose start is
// returned. A bound without end says that nothing in the range ends as it starts.
double CyclicProgram::search(Node& node) {
  const auto is_done = [&] { return node.bound >= best_.cost - same_cost_; };
  const double middle = 0.5 * (node.low + node.high);
  std::optional<Trial> above;  // of those with a surplus at the start, the one at the highest price
  std::optional<Trial> below;  // of those with a lack of it, at the lowest
  double price = node.price;
  double stride = steepest_;
  int doublings = 0;
  for (;;) {
    const std::optional<Trial> trial = run(node, price);
    if (!trial) {
      node.bound = kNoLimit;
      return middle;
    }
    if (trial->bound > node.bound) {
      node.bound = trial->bound;
      node.price = price;
    }
    if (trial->surplus == 0) {
      keep(*trial);
      return trial->start;
    }
    if (is_done()) return middle;
    std::optional<Trial>& side = trial->surplus > 0 ? above : below;
    const bool no_new = side && std::abs(side->surplus - trial->surplus) <= same_energy_;
    const bool met = above && below && no_new;
    side = trial;
    if (!above || !below) {
      if (++doublings > kMostDoublings) {
        node.bound = kNoLimit;
        return middle;
      }
      price += trial->surplus > 0 ? stride : -stride;
      stride *= 2;
      continue;
    }
    const double crossing = (below->cost - above->cost) / (above->surplus - below->surplus);
    if (met || !(crossing > above->price && crossing < below->price)) break;
    price = crossing;
  }
  const double part = above->surplus / (above->surplus - below->surplus);
  const double start =
      std::clamp(above->start + part * (below->start - above->start), node.low, node.high);
  const Optimum found = solve_from(start, node.price);
  if (found.feasible) keep({node.price, found.value, start, 0, 0});
  return start;
}

}  // namespace bess
