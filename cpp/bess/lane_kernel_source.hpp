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
#include "bess/vector.hpp"

namespace bess {
namespace {

constexpr std::size_t kWidth = sizeof(Vector) / sizeof(double);
constexpr std::size_t kGroupLanes = 16;  // worked side by side, to hide latencies
constexpr std::size_t kParts = kGroupLanes / kWidth;
constexpr std::size_t kGroups = kLanes / kGroupLanes;

inline Vector positive(Vector a) {
  return most_of(a, broadcast(0.0));
}
inline void add_to(double* to, Vector a) {
  store(add(load(to), a), to);
}

// What one bin of a block gains from one run, for the lanes from `lane` on.
template <bool kPriced>
struct Account {
  const LaneRun& run;
  LaneBlock& block;
  LaneBin& bin;
  std::size_t lane;

  void import(std::size_t i, Vector energy) const {
    add_to(bin.imported + i, energy);
    if constexpr (kPriced) add_to(block.cost + i, multiply(energy, broadcast(run.buy)));
  }
  void sell(std::size_t i, Vector energy) const {
    add_to(bin.exported + i, energy);
    if constexpr (kPriced) {
      const Vector paid = multiply(energy, broadcast(run.sell));
      store(subtract(load(block.cost + i), paid), block.cost + i);
    }
  }
};

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
inline void store_and_sell(const Account<kPriced>& to, const double* surplus,
                           const double* outlet) {
  LaneBlock& b = to.block;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector room = load(b.room + at);
    const Vector limit = load(b.solar_charge + at);
    const Vector rate = load(b.stored_per_solar + at);
    const Vector solar = load(b.solar_per_stored + at);
    Vector stored = load(b.stored + at);
    Vector sold = broadcast(0.0);
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector left = broadcast(surplus[t]);
      const Vector wanted = multiply(least_of(left, limit), rate);
      const Vector taken = least_of(wanted, subtract(room, stored));
      stored = add(stored, taken);
      const Vector rest = positive(subtract(left, multiply(taken, solar)));
      sold = add(sold, least_of(rest, broadcast(outlet[t])));
    }
    store(stored, b.stored + at);
    to.sell(at, sold);
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
inline void take_beside_sun(const Account<kPriced>& to, const LaneSeries& series) {
  LaneBlock& b = to.block;
  const double* net = series.energy + to.run.first;
  const double* sun = series.solar + to.run.first;
  const double* outlet = series.outlet + to.run.first;
  const Vector zero = broadcast(0.0);
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector room = load(b.room + at);
    const Vector limit = load(b.charge + at);
    const Vector stored_per_solar = load(b.stored_per_solar + at);
    const Vector solar_per_stored = load(b.solar_per_stored + at);
    const Vector rate = load(b.grid_per_stored + at);
    Vector stored = load(b.stored + at);
    Vector peak = load(to.bin.peak + at);
    Vector imported = zero;
    Vector sold = zero;
    Vector from_grid = zero;
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector taken = least_of(limit, subtract(room, stored));
      stored = add(stored, taken);
      const Vector solar = least_of(broadcast(sun[t]), multiply(taken, solar_per_stored));
      const Vector rest = subtract(taken, multiply(solar, stored_per_solar));
      const Vector grid = positive(multiply(rest, rate));
      const Vector meter = add(add(broadcast(net[t]), solar), grid);
      const Vector bought = positive(meter);
      from_grid = add(from_grid, grid);
      imported = add(imported, bought);
      sold = add(sold, least_of(subtract(bought, meter), broadcast(outlet[t])));
      peak = most_of(peak, bought);
    }
    store(stored, b.stored + at);
    store(peak, to.bin.peak + at);
    add_to(b.from_grid + at, from_grid);
    to.import(at, imported);
    to.sell(at, sold);
  }
}

template <bool kPriced>
inline void send(const Account<kPriced>& to, const double* deficit, const double* outlet) {
  LaneBlock& b = to.block;
  const Vector zero = broadcast(0.0);
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector limit = load(b.discharge + at);
    const Vector before = load(b.stored + at);
    Vector stored = before;
    Vector peak = load(to.bin.peak + at);
    Vector imported = zero;
    Vector sold = zero;
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector given = least_of(least_of(broadcast(outlet[t]), limit), stored);
      stored = subtract(stored, given);
      const Vector meter = subtract(broadcast(deficit[t]), given);
      const Vector bought = positive(meter);
      imported = add(imported, bought);
      sold = add(sold, subtract(bought, meter));
      peak = most_of(peak, bought);
    }
    store(stored, b.stored + at);
    store(peak, to.bin.peak + at);
    add_to(b.discharged + at, subtract(before, stored));
    add_to(b.sent + at, sold);
    to.import(at, imported);
    to.sell(at, sold);
  }
}

template <bool kPriced>
void work_runs(const LaneRun* runs, std::size_t count, const LaneSeries& series,
               const double* reach, LaneBlock& block, LaneBin* bins) {
  double least_discharge[kGroups];
  double least_solar_charge[kGroups];
  least_of_groups(block.discharge, least_discharge);
  least_of_groups(block.solar_charge, least_solar_charge);
  for (std::size_t r = 0; r < count; ++r) {
    const LaneRun& run = runs[r];
    const double* energy = series.energy + run.first;
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::size_t lane = g * kGroupLanes;
      const Account<kPriced> to{run, block, bins[run.bin], lane};
      Vector within[kParts];
      const auto find_reach = [&](const double* limit, double least) {
        if (reach == nullptr) return reach_of(run, energy, limit + lane, least, within);
        for (std::size_t i = 0; i < kParts; ++i) within[i] = broadcast(reach[r]);
      };
      switch (run.kind) {
        case LaneRunKind::kServe:
          find_reach(block.discharge, least_discharge[g]);
          serve(to, energy, within);
          break;
        case LaneRunKind::kStore:
          find_reach(block.solar_charge, least_solar_charge[g]);
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
      }
    }
  }
}

inline void work_lanes(const LaneRun* runs, std::size_t count, const LaneSeries& series,
                       const double* reach, bool priced, LaneBlock& block, LaneBin* bins) {
  if (priced) return work_runs<true>(runs, count, series, reach, block, bins);
  work_runs<false>(runs, count, series, reach, block, bins);
}

}  // namespace
}  // namespace bess
