// The source of every rule kernel: included by one translation unit for each instruction set.
//
// A rule is a wish: the change of stored energy it would make in a step if the battery were neither
// empty nor full. Wishes, and the flows that follow from the changes, know nothing of other steps,
// so a pack of steps is worked at once; only the chain between them is sequential,
// e' = clamp(r e + wish, low, high), r being what self-discharge leaves. Its latency is hidden:
// while the chain of a pack runs, the flows of the pack before it are worked, from registers
// straight to the ten rows of the result.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bess/flows.hpp"
#include "bess/pack.hpp"
#include "bess/rule_kernel.hpp"
#include "bess/step_flows.hpp"
#include "bess/step_range.hpp"

namespace bess {
namespace {

static_assert(Pack::kLanes == kPackSteps);

inline const double* values_at(const Source& source, std::size_t t) {
  return source.values + (t & source.mask);
}
inline Pack pack_at(const Source& source, std::size_t t) {
  return Pack::from(values_at(source, t));
}

template <bool kLimited>
using PackEnergies = Energies<Pack, kLimited>;

template <bool kLimited>
inline PackEnergies<kLimited> energies_at(const Horizon& horizon, std::size_t t) {
  return {pack_at(horizon.load, t),         pack_at(horizon.solar, t),
          pack_at(horizon.import_limit, t), pack_at(horizon.inverter_limit, t),
          pack_at(horizon.solar_outlet, t), pack_at(horizon.battery_outlet, t)};
}

// The change of stored energy that a rule asks for, and the solar that charging may take before
// the grid's turn; both kWh DC.
struct Wish {
  Pack change;
  Pack solar_reach;
};

struct SurplusWish {
  template <typename Step>
  static Wish of(const RuleTerms& terms, const Horizon&, const Step& step, std::size_t) {
    const Rates& r = terms.rates;
    const Pack reach = step.surplus() * r.storable_solar;
    const Pack charge = least_of(reach, r.charge_limit);
    const Pack given = step.beside_sun(step.deficit());
    const Pack discharge = least_of(given * r.dc_per_discharge, r.discharge_limit);
    return {charge * r.input - discharge, reach};
  }
};

struct ScheduleWish {
  template <typename Step>
  static Wish of(const RuleTerms& terms, const Horizon& horizon, const Step& step, std::size_t t) {
    const Rates& r = terms.rates;
    const Pack mode = Pack::from(horizon.modes + t);  // above 0: charge, below: discharge
    const Pack exported = step.exported();
    const Pack outlet = step.deficit() + most_of(step.battery_outlet - exported, 0.0);
    const Pack given = step.beside_sun(outlet);
    const Pack discharge = least_of(given * r.dc_per_discharge, r.discharge_limit);
    Pack reach = step.surplus() * r.storable_solar;
    Pack charge = least_of(reach, r.charge_limit) * r.input;
    if (terms.grid_charges) {
      const Pack served = zero_if_above(mode, 0.0, step.load);  // before the battery
      reach = most_of(step.solar - served, 0.0) * r.storable_solar;
      charge = zero_if_above(exported * terms.unstorable, 0.0, most_change(r, step));
    }
    return {zero_unless_above(mode, 0.0, charge) - zero_unless_above(0.0, mode, discharge), reach};
  }
};

struct FollowWish {
  template <typename Step>
  static Wish of(const RuleTerms& terms, const Horizon& horizon, const Step& step, std::size_t t) {
    const Rates& r = terms.rates;
    const Pack taken = Pack(0.0) - pack_at(horizon.asked, t);
    const Pack change =
        where_above(taken, 0.0, taken * (r.grid_ratio * r.input), taken * r.dc_per_discharge);
    return {possible_change(r, step, change), step.surplus() * r.storable_solar};
  }
};

struct PeakShavingWish {
  template <typename Step>
  static Wish of(const RuleTerms& terms, const Horizon&, const Step& step, std::size_t) {
    const Rates& r = terms.rates;
    const Pack deficit = step.deficit();
    const Pack room = most_of(least_of(step.import_limit, terms.target) - deficit, 0.0);
    const Pack headroom = step.through_inverter(room);
    const Pack allowed = least_of(headroom * r.grid_ratio, r.grid_charge_limit);
    const Pack from_grid = zero_if_above(step.exported() * terms.unstorable, 0.0, allowed);
    const Pack reach = step.surplus() * r.storable_solar;
    const Pack charge = least_of(reach + from_grid, r.charge_limit);
    const Pack over = most_of(deficit - terms.target, 0.0);
    const Pack given = step.beside_sun(over);
    const Pack discharge = least_of(given * r.dc_per_discharge, r.discharge_limit);
    return {charge * r.input - discharge, reach};
  }
};

// What self-discharge leaves of the energy stored before each step of a pack, the energy stored
// after it, and the solar reach of their wishes.
struct Chained {
  Pack before;
  Pack after;
  Pack solar_reach;
};

template <bool kLossy>
[[gnu::always_inline]] inline Chained chain(const Wish& wish, const Horizon& horizon, std::size_t t,
                                            double retention, double& energy) {
  double change[kPackSteps];
  wish.change.write(change);
  const double* low = values_at(horizon.low, t);
  const double* high = values_at(horizon.high, t);
  double before[kPackSteps];
  double after[kPackSteps];
  for (std::size_t i = 0; i < kPackSteps; ++i) {
    before[i] = kLossy ? energy * retention : energy;
    after[i] = energy = least_of(most_of(before[i] + change[i], low[i]), high[i]);
  }
  return {{before[0], before[1], before[2], before[3]},
          {after[0], after[1], after[2], after[3]},
          wish.solar_reach};
}

template <bool kLimited>
[[gnu::always_inline]] inline void write_flows(const RuleTerms& terms, const Horizon& horizon,
                                               std::size_t t, const Chained& chained) {
  const Flows<Pack> f =
      flows_of_change(terms.rates, terms.floors, energies_at<kLimited>(horizon, t),
                      chained.after - chained.before, chained.solar_reach);
  const auto write = [&](Series series, Pack values) {
    values.write(horizon.flows.block + static_cast<std::size_t>(series) * horizon.flows.steps + t);
  };
  write(Series::kGridToSite, f.grid_to_site);
  write(Series::kGridToBattery, f.grid_to_battery);
  write(Series::kSolarToBattery, f.solar_to_battery);
  write(Series::kSolarToSite, f.solar_to_site);
  write(Series::kSolarToGrid, f.solar_to_grid);
  write(Series::kSolarCurtailed, f.solar_curtailed);
  write(Series::kBatteryToSite, f.battery_to_site);
  write(Series::kBatteryToGrid, f.battery_to_grid);
  write(Series::kNetLoad, f.net_load);
  write(Series::kStateOfCharge, chained.after * terms.soc_per_energy);
}

template <typename WishOfRule, bool kLimited, bool kLossy>
double work_packs(const RuleTerms& given, const Horizon& whole, std::size_t packs, double energy) {
  const RuleTerms terms = given;  // copies that no row written below can alias
  const Horizon horizon = whole;
  Chained waiting{};
  for (std::size_t i = 0; i <= packs; ++i) {
    const std::size_t t = i * kPackSteps;
    Chained next{};
    if (i < packs) {
      const auto step = energies_at<kLimited>(horizon, t);
      Wish wish = WishOfRule::of(terms, horizon, step, t);
      if constexpr (kLimited) {  // load above the limit forces a discharge, wished or not
        wish.change = possible_change(terms.rates, step, wish.change);
      }
      next = chain<kLossy>(wish, horizon, t, terms.retention, energy);
    }
    if (i > 0) write_flows<kLimited>(terms, horizon, t - kPackSteps, waiting);
    waiting = next;
  }
  return energy;
}

template <bool kLimited, bool kLossy>
double work_packs(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                  double energy) {
  switch (terms.kind) {
    case RuleKind::kSurplus:
      return work_packs<SurplusWish, kLimited, kLossy>(terms, horizon, packs, energy);
    case RuleKind::kFixedSchedule:
      return work_packs<ScheduleWish, kLimited, kLossy>(terms, horizon, packs, energy);
    case RuleKind::kFollow:
      return work_packs<FollowWish, kLimited, kLossy>(terms, horizon, packs, energy);
    case RuleKind::kPeakShaving:
      return work_packs<PeakShavingWish, kLimited, kLossy>(terms, horizon, packs, energy);
  }
  return energy;
}

inline double work_packs(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                         double energy) {
  const bool lossy = terms.retention < 1.0;
  if (terms.limited) {
    return lossy ? work_packs<true, true>(terms, horizon, packs, energy)
                 : work_packs<true, false>(terms, horizon, packs, energy);
  }
  return lossy ? work_packs<false, true>(terms, horizon, packs, energy)
               : work_packs<false, false>(terms, horizon, packs, energy);
}

}  // namespace
}  // namespace bess
