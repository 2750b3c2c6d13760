// The source of every lane kernel: included by one translation unit for each instruction set.
//
// All batteries of a sweep see the same load and sun, so they share the sign of what is left of
// either, and a run of steps with one sign needs no step: a battery that serves a deficit n in each
// step ends at max(q - sum of min(n, p), 0), p being its power, and what it gave is what it holds
// less; charging likewise. Only the peak depends on when it ran empty. It lies between the most of
// n - p and that plus what is missing at the end, so a run is gone through step by step only where
// that could be a new peak of its bin for one of the lanes at hand. What a lane gets does not
// depend on its neighbours: where the steps are worked for their sake, its own peak comes out the
// same.
#pragma once

#include <cstddef>

#include "bess/lane_kernel.hpp"
#include "bess/lane_steps.hpp"
#include "bess/lane_watched.hpp"

namespace bess {
namespace {

// The least over the lanes of each group.
inline void least_of_groups(const double* values, double* least) {
  for (std::size_t g = 0; g < kGroups; ++g) {
    least[g] = values[g * kGroupLanes];
    for (std::size_t i = 1; i < kGroupLanes; ++i) {
      least[g] = least_of(values[g * kGroupLanes + i], least[g]);
    }
  }
}

// Sum over the run of min(energy, limit), where the least limit of the lanes is `least`.
inline void reach_of(const LaneRun& run, const double* energy, const double* limit, double least,
                     Vector* reach) {
  if (least >= run.most) {
    for (std::size_t i = 0; i < kParts; ++i) reach[i] = broadcast(run.sum);
    return;
  }
  Vector limits[kParts];
  for (std::size_t i = 0; i < kParts; ++i) {
    limits[i] = load(limit + i * kWidth);
    reach[i] = broadcast(0.0);
  }
  for (std::size_t t = 0; t < run.steps; ++t) {
    const Vector each = broadcast(energy[t]);
    for (std::size_t i = 0; i < kParts; ++i) reach[i] = add(reach[i], least_of(each, limits[i]));
  }
}

template <bool kPriced>
inline void serve(const Account<kPriced>& to, const double* energy, const Vector* reach) {
  LaneBlock& b = to.block;
  const Vector most = broadcast(to.run.most);
  const Vector slack = broadcast(to.run.slack);
  Vector before[kParts];
  bool higher = false;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    before[i] = load(b.stored + at);
    const Vector missing = subtract(reach[i], before[i]);
    const Vector after = positive(subtract(broadcast(0.0), missing));
    const Vector above = subtract(most, load(b.discharge + at));  // whatever is stored
    const Vector peak = most_of(load(to.bin.peak + at), above);
    store(peak, to.bin.peak + at);
    const Vector highest = add(add(positive(above), slack), missing);
    higher |= any_above(least_of(most, highest), peak);
    const Vector given = subtract(before[i], after);
    store(after, b.stored + at);
    add_to(b.discharged + at, given);
    to.import(at, subtract(broadcast(0.0), given));
  }
  if (!higher) return;
  Vector power[kParts];
  Vector peak[kParts];
  for (std::size_t i = 0; i < kParts; ++i) {
    power[i] = load(b.discharge + to.lane + i * kWidth);
    peak[i] = load(to.bin.peak + to.lane + i * kWidth);
  }
  for (std::size_t t = 0; t < to.run.steps; ++t) {
    const Vector needed = broadcast(energy[t]);
    for (std::size_t i = 0; i < kParts; ++i) {
      const Vector given = least_of(least_of(needed, power[i]), before[i]);
      peak[i] = most_of(peak[i], subtract(needed, given));
      before[i] = subtract(before[i], given);
    }
  }
  for (std::size_t i = 0; i < kParts; ++i) store(peak[i], to.bin.peak + to.lane + i * kWidth);
}

template <bool kPriced>
inline void store_surplus(const Account<kPriced>& to, const Vector* reach) {
  LaneBlock& b = to.block;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector before = load(b.stored + at);
    const Vector wanted = multiply(reach[i], load(b.stored_per_solar + at));
    const Vector after = least_of(add(before, wanted), load(b.room + at));
    store(after, b.stored + at);
    const Vector taken = multiply(subtract(before, after), load(b.solar_per_stored + at));
    to.sell(at, multiply(taken, broadcast(to.run.sold)));
  }
}

template <bool kPriced>
inline void take(const Account<kPriced>& to, const double* energy) {
  LaneBlock& b = to.block;
  const Vector most = broadcast(to.run.most);
  const Vector steps = broadcast(static_cast<double>(to.run.steps));
  Vector before[kParts];
  Vector limit[kParts];
  Vector room[kParts];
  Vector rate[kParts];
  bool higher = false;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    before[i] = load(b.stored + at);
    limit[i] = load(b.charge + at);
    room[i] = load(b.room + at);
    rate[i] = load(b.grid_per_stored + at);
    const Vector after = least_of(add(before[i], multiply(limit[i], steps)), room[i]);
    store(after, b.stored + at);
    const Vector taken = multiply(subtract(after, before[i]), rate[i]);
    add_to(b.from_grid + at, taken);
    to.import(at, taken);
    const Vector peak = most_of(load(to.bin.peak + at), most);
    store(peak, to.bin.peak + at);
    const Vector in_a_step = least_of(multiply(limit[i], rate[i]), taken);
    higher |= any_above(add(most, multiply(in_a_step, broadcast(1.0 + 1e-9))), peak);
  }
  if (!higher) return;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    Vector peak = load(to.bin.peak + at);
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector taken = least_of(limit[i], subtract(room[i], before[i]));
      before[i] = add(before[i], taken);
      peak = most_of(peak, add(broadcast(energy[t]), multiply(taken, rate[i])));
    }
    store(peak, to.bin.peak + at);
  }
}

template <bool kPriced>
inline void rest(const Account<kPriced>& to) {
  const Vector most = broadcast(to.run.most);
  for (std::size_t i = 0; i < kParts; ++i) {
    double* peak = to.bin.peak + to.lane + i * kWidth;
    store(most_of(load(peak), most), peak);
  }
}

// The least limits of the lanes of each group.
struct LeastLimits {
  double discharge[kGroups];
  double solar_charge[kGroups];

  explicit LeastLimits(const LaneBlock& block) {
    least_of_groups(block.discharge, discharge);
    least_of_groups(block.solar_charge, solar_charge);
  }
};

// Works run `r` for group `g`.
template <bool kPriced>
[[gnu::always_inline]] inline void work_run(const Account<kPriced>& to, const LaneSeries& series,
                                            const double* reach, const LeastLimits& least,
                                            std::size_t r, std::size_t g) {
  const LaneRun& run = to.run;
  const double* energy = series.energy + run.first;
  Vector within[kParts];
  const auto find_reach = [&](const double* limit, double least_limit) {
    if (reach == nullptr) return reach_of(run, energy, limit + to.lane, least_limit, within);
    for (std::size_t i = 0; i < kParts; ++i) within[i] = broadcast(reach[r]);
  };
  switch (run.kind) {
    case LaneRunKind::kServe:
      find_reach(to.block.discharge, least.discharge[g]);
      serve(to, energy, within);
      break;
    case LaneRunKind::kStore:
      find_reach(to.block.solar_charge, least.solar_charge[g]);
      store_surplus(to, within);
      break;
    case LaneRunKind::kStoreAndSell:
      store_and_sell(to, energy, series.outlet + run.first);
      break;
    case LaneRunKind::kTake:
      take(to, energy);
      break;
    case LaneRunKind::kTakeBesideSun:
      take_beside_sun(to, series);
      break;
    case LaneRunKind::kSend:
      send(to, energy, series.outlet + run.first);
      break;
    case LaneRunKind::kRest:
      rest(to);
      break;
  }
}

template <bool kPriced>
void work_runs(const LaneProgram& program, const double* reach, LaneBlock& block, LaneBin* bins) {
  const LeastLimits least(block);
  for (std::size_t r = 0; r < program.count; ++r) {
    const LaneRun& run = program.runs[r];
    for (std::size_t g = 0; g < kGroups; ++g) {
      const Account<kPriced> to{run, block, bins[run.bin], g * kGroupLanes};
      work_run(to, program.series, reach, least, r, g);
    }
  }
}

// The same group after group, each watched.
template <bool kPriced>
void watch_runs(const LaneProgram& program, const double* reach, const LaneCorridor& corridor,
                LaneBlock& block, LaneBin* bins) {
  const LeastLimits least(block);
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::size_t lane = g * kGroupLanes;
    if (program.policies.runs != nullptr) find_corridor(program, block, lane, corridor);
    WindowBounds window_bounds(block, lane);
    for (std::size_t r = 0; r < program.count; ++r) {
      const LaneRun& run = program.runs[r];
      const Account<kPriced> to{run, block, bins[run.bin], lane};
      watch_run(to, program, r, corridor, window_bounds,
                [&] { work_run(to, program.series, reach, least, r, g); });
    }
  }
}

inline void work_lanes(const LaneProgram& program, const double* reach,
                       const LaneCorridor& corridor, LaneBlock& block, LaneBin* bins) {
  if (program.counts_hours || program.policies.runs != nullptr) {
    if (program.priced) return watch_runs<true>(program, reach, corridor, block, bins);
    return watch_runs<false>(program, reach, corridor, block, bins);
  }
  if (program.priced) return work_runs<true>(program, reach, block, bins);
  work_runs<false>(program, reach, block, bins);
}

}  // namespace
}  // namespace bess
