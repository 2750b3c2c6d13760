// Runs of a lane kernel that are gone through step by step, several lanes at once. Local to the
// translation unit, as vector.hpp is.
#pragma once

#include <cstddef>

#include "bess/lane_kernel.hpp"
#include "bess/vector.hpp"

namespace bess {
namespace {

constexpr std::size_t kWidth = sizeof(Vector) / sizeof(double);
constexpr std::size_t kParts = kGroupLanes / kWidth;
constexpr std::size_t kGroups = kLanes / kGroupLanes;

inline Vector positive(Vector a) {
  return most_of(a, broadcast(0.0));
}
inline void add_to(double* to, Vector a) {
  store(add(load(to), a), to);
}

// Vectors that wait for their own results alone: where each step needs the one before it, two
// chains take the time of one.
constexpr std::size_t kInterleaved = 2;

class Interleaved {
 public:
  Interleaved() {
    for (Vector& each : values_) each = broadcast(0.0);
  }
  explicit Interleaved(const double* from) {
    for (std::size_t i = 0; i < kInterleaved; ++i) values_[i] = load(from + i * kWidth);
  }
  Vector& operator[](std::size_t i) { return values_[i]; }
  const Vector& operator[](std::size_t i) const { return values_[i]; }
  void write(double* to) const {
    for (std::size_t i = 0; i < kInterleaved; ++i) store(values_[i], to + i * kWidth);
  }

 private:
  Vector values_[kInterleaved];
};

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
  void import(std::size_t first, const Interleaved& energy) const {
    for (std::size_t i = 0; i < kInterleaved; ++i) import(first + i * kWidth, energy[i]);
  }
  void sell(std::size_t first, const Interleaved& energy) const {
    for (std::size_t i = 0; i < kInterleaved; ++i) sell(first + i * kWidth, energy[i]);
  }
  void sell(std::size_t i, Vector energy) const {
    add_to(bin.exported + i, energy);
    if constexpr (kPriced) {
      const Vector paid = multiply(energy, broadcast(run.sell));
      store(subtract(load(block.cost + i), paid), block.cost + i);
    }
  }
};

template <bool kPriced>
inline void store_and_sell(const Account<kPriced>& to, const double* surplus,
                           const double* outlet) {
  LaneBlock& b = to.block;
  for (std::size_t first = 0; first < kGroupLanes; first += kInterleaved * kWidth) {
    const std::size_t at = to.lane + first;
    const Interleaved room(b.room + at);
    const Interleaved limit(b.solar_charge + at);
    const Interleaved rate(b.stored_per_solar + at);
    const Interleaved solar(b.solar_per_stored + at);
    Interleaved stored(b.stored + at);
    Interleaved sold;
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector left = broadcast(surplus[t]);
      for (std::size_t i = 0; i < kInterleaved; ++i) {
        const Vector wanted = multiply(least_of(left, limit[i]), rate[i]);
        const Vector taken = least_of(wanted, subtract(room[i], stored[i]));
        stored[i] = add(stored[i], taken);
        const Vector rest = positive(subtract(left, multiply(taken, solar[i])));
        sold[i] = add(sold[i], least_of(rest, broadcast(outlet[t])));
      }
    }
    stored.write(b.stored + at);
    to.sell(at, sold);
  }
}

template <bool kPriced>
inline void take_beside_sun(const Account<kPriced>& to, const LaneSeries& series) {
  LaneBlock& b = to.block;
  const double* net = series.energy + to.run.first;
  const double* sun = series.solar + to.run.first;
  const double* outlet = series.outlet + to.run.first;
  for (std::size_t first = 0; first < kGroupLanes; first += kInterleaved * kWidth) {
    const std::size_t at = to.lane + first;
    const Interleaved room(b.room + at);
    const Interleaved limit(b.charge + at);
    const Interleaved stored_per_solar(b.stored_per_solar + at);
    const Interleaved solar_per_stored(b.solar_per_stored + at);
    const Interleaved rate(b.grid_per_stored + at);
    Interleaved stored(b.stored + at);
    Interleaved peak(to.bin.peak + at);
    Interleaved imported;
    Interleaved sold;
    Interleaved from_grid;
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector needed = broadcast(net[t]);
      const Vector all_sun = broadcast(sun[t]);
      for (std::size_t i = 0; i < kInterleaved; ++i) {
        const Vector taken = least_of(limit[i], subtract(room[i], stored[i]));
        stored[i] = add(stored[i], taken);
        const Vector solar = least_of(all_sun, multiply(taken, solar_per_stored[i]));
        const Vector rest = subtract(taken, multiply(solar, stored_per_solar[i]));
        const Vector grid = positive(multiply(rest, rate[i]));
        const Vector meter = add(add(needed, solar), grid);
        const Vector bought = positive(meter);
        from_grid[i] = add(from_grid[i], grid);
        imported[i] = add(imported[i], bought);
        const Vector left = subtract(bought, meter);
        sold[i] = add(sold[i], least_of(left, broadcast(outlet[t])));
        peak[i] = most_of(peak[i], bought);
      }
    }
    stored.write(b.stored + at);
    peak.write(to.bin.peak + at);
    for (std::size_t i = 0; i < kInterleaved; ++i)
      add_to(b.from_grid + at + i * kWidth, from_grid[i]);
    to.import(at, imported);
    to.sell(at, sold);
  }
}

template <bool kPriced>
inline void send(const Account<kPriced>& to, const double* deficit, const double* outlet) {
  LaneBlock& b = to.block;
  for (std::size_t first = 0; first < kGroupLanes; first += kInterleaved * kWidth) {
    const std::size_t at = to.lane + first;
    const Interleaved limit(b.discharge + at);
    const Interleaved before(b.stored + at);
    Interleaved stored = before;
    Interleaved peak(to.bin.peak + at);
    Interleaved imported;
    Interleaved sold;
    for (std::size_t t = 0; t < to.run.steps; ++t) {
      const Vector needed = broadcast(deficit[t]);
      const Vector room = broadcast(outlet[t]);
      for (std::size_t i = 0; i < kInterleaved; ++i) {
        const Vector given = least_of(least_of(room, limit[i]), stored[i]);
        stored[i] = subtract(stored[i], given);
        const Vector meter = subtract(needed, given);
        const Vector bought = positive(meter);
        imported[i] = add(imported[i], bought);
        sold[i] = add(sold[i], subtract(bought, meter));
        peak[i] = most_of(peak[i], bought);
      }
    }
    stored.write(b.stored + at);
    peak.write(to.bin.peak + at);
    for (std::size_t i = 0; i < kInterleaved; ++i) {
      add_to(b.discharged + at + i * kWidth, subtract(before[i], stored[i]));
      add_to(b.sent + at + i * kWidth, sold[i]);
    }
    to.import(at, imported);
    to.sell(at, sold);
  }
}

}  // namespace
}  // namespace bess
