// Merit order. Discharging first displaces import, then earns export while the export limit has
// room, then frees solar energy; where export costs money it comes last. Charging first uses solar
// energy that would be curtailed, then what would be exported, then what would serve the site,
// then the grid. Where importing earns money the grid comes first, up to the import limit, and
// solar energy is curtailed. Each is a segment of known slope, held to the battery's limits from 0
// outwards. Only where importing and exporting both earn money is there no order: the two
// directions of the meter are built apart, and the lower envelope is taken.
#include "bess/stage_cost.hpp"

#include <algorithm>
#include <cmath>

#include "bess/step_range.hpp"

namespace bess {

// What the merit order needs to know of a step: first kWh AC, then kWh DC.
struct StageCostBuilder::Limits {
  double deficit;    // of what the sun can send out against load
  double surplus;    // solar energy that the site would not use
  double sold;       // solar energy exported if the battery stands still
  double site;       // of the load, what the inverter could serve
  double displaced;  // import that a discharge can displace beside the sun,
  double room;       // and export it can add to that, itself or by the sun it frees
  double least_discharge;
  double most_discharge;
  double from_surplus;  // most stored from the surplus,
  double from_solar;    // from all the sun,
  double most_stored;   // and with the grid
};

StageCostBuilder::StageCostBuilder(const Site& site, const Battery& b)
    : grid_to_battery_(b.grid_to_battery),
      battery_to_grid_(b.battery_to_grid),
      solar_to_battery_(b.solar_to_battery),
      solar_to_grid_(site.solar_to_grid),
      charge_limit_(b.charge_limit * b.input_efficiency),
      discharge_limit_(b.discharge_limit),
      stored_per_solar_(b.solar_charge_ratio(site.solar_dc_to_ac_efficiency) * b.input_efficiency),
      stored_per_grid_(b.ac_to_dc_efficiency * b.input_efficiency),
      storable_(b.solar_to_battery ? stored_per_solar_ : 0.0),
      per_stored_solar_(1.0 / stored_per_solar_),
      per_stored_grid_(1.0 / stored_per_grid_),
      discharge_ratio_(b.dc_to_ac_efficiency),
      per_discharge_(1.0 / b.dc_to_ac_efficiency),
      wear_(b.degradation_cost),
      rounding_(1e-12 * b.capacity),
      tolerances_{1e-13 * b.capacity, 0, 0},
      envelope_(tolerances_) {
  branch_.segments.reserve(kMostSegments);
}

// Without import and inverter limit their arithmetic is left out.
template <bool kLimited>
inline StageCostBuilder::Limits StageCostBuilder::limits_of(const Step& step) const {
  const Energies<double, kLimited> energies{
      .load = step.load,
      .solar = step.solar,
      .import_limit = step.import_limit,
      .inverter_limit = step.inverter_limit,
      .solar_outlet = solar_to_grid_ ? step.export_limit : 0.0,
      .battery_outlet = battery_to_grid_ ? step.export_limit : 0.0,
  };
  Limits l;
  l.deficit = energies.deficit();
  l.surplus = energies.surplus();
  l.sold = energies.exported();
  l.site = energies.through_inverter(step.load);
  l.displaced = energies.beside_sun(l.deficit);
  const double outlet = solar_to_grid_ ? step.export_limit - l.sold : energies.battery_outlet;
  l.room = energies.beside_sun(l.displaced + outlet) - l.displaced;
  l.least_discharge = 0;
  l.most_discharge =
      std::min(energies.through_inverter(step.load + energies.battery_outlet) * per_discharge_,
               discharge_limit_);
  l.from_surplus = std::min(l.surplus * storable_, charge_limit_);
  l.from_solar = std::min(step.solar * storable_, charge_limit_);
  l.most_stored = grid_to_battery_ ? charge_limit_ : l.from_solar;
  if constexpr (kLimited) {
    const double spare = step.import_limit - l.deficit;
    if (spare < 0) {
      // Where import and inverter together cannot serve the load, no discharge is enough.
      const double reached = (step.import_limit + step.inverter_limit) * (1 + 1e-12);
      const double owed = step.load > reached ? step.load - step.import_limit : -spare;
      l.least_discharge = owed * per_discharge_;
      l.from_surplus = l.from_solar = l.most_stored = 0;
      return l;
    }
    const double diverted = std::min(step.load - l.deficit, spare);  // from the site
    l.from_solar = std::min((l.surplus + diverted) * storable_, charge_limit_);
    const double left = solar_to_battery_ ? spare - diverted : spare;
    const double from_grid = energies.through_inverter(left) * stored_per_grid_;
    l.most_stored =
        grid_to_battery_ ? std::min(l.from_solar + from_grid, charge_limit_) : l.from_solar;
  }
  return l;
}

// The charge from the grid (kWh DC stored) for which importing earns money.
inline double StageCostBuilder::earning_charge(const Step& step, const Limits& l) const {
  if (!grid_to_battery_) return 0;
  const double from_grid = std::min(step.import_limit - step.load, step.inverter_limit);
  return std::clamp(from_grid * stored_per_grid_, 0.0, l.most_stored);
}

void StageCostBuilder::build(const Step& step, CostSegment* out, StageCost& f) {
  const bool limited = step.import_limit < kNoLimit || step.inverter_limit < kNoLimit;
  Limits limits = limited ? limits_of<true>(step) : limits_of<false>(step);
  const double missing = limits.least_discharge - limits.most_discharge;
  f.feasible = !(missing > rounding_);
  if (missing > 0) {
    if (!f.feasible) {
      f.least = -limits.most_discharge;
      f.most = -limits.least_discharge;
      f.count = 0;
      return;
    }
    limits.least_discharge = limits.most_discharge;
  }
  if (step.import_price < 0 && step.export_price > 0) {
    build_by_envelope(step, limits, out, f);
  } else {
    build_by_merit(step, limits, out, f);
  }
}

inline void StageCostBuilder::build_by_merit(const Step& step, const Limits& l, CostSegment* out,
                                             StageCost& f) const {
  const double p = step.import_price;
  const double q = step.export_price;
  const bool sells = q > 0;
  const bool paid_to_import = p < 0;
  const double sold = sells ? l.sold : 0.0;

  // Discharging, from 0 outwards: slopes and the discharges (kWh DC) at which they change.
  const double import_slope = p * discharge_ratio_ - wear_;
  const double export_slope = q * discharge_ratio_ - wear_;
  double inner = import_slope;
  double middle = sells ? export_slope : -wear_;
  double outer = sells ? -wear_ : export_slope;
  double first = l.displaced * per_discharge_;
  double second = l.site * per_discharge_;
  if (sells) {
    second = first + l.room * per_discharge_;
  } else if (paid_to_import) {
    inner = -wear_;
    middle = import_slope;
    first = std::max(step.load - step.import_limit, 0.0) * per_discharge_;
  }
  first = std::min(first, l.most_discharge);
  second = std::min(second, l.most_discharge);

  f.least = -l.most_discharge;
  f.jump = 0;
  f.jump_before = 255;
  const double at_zero =
      paid_to_import ? p * std::min(step.load, step.import_limit) : p * l.deficit - q * sold;
  f.cost_at_least =
      at_zero - outer * (l.most_discharge - second) - middle * (second - first) - inner * first;

  // Every segment is written, and the next one over it if it has no width. Ends never fall.
  CostSegment* end = out;
  double steepest = -kNoLimit;
  bool convex = true;
  const auto add = [&](double slope, double from, double until) {
    *end = {slope, until};
    const bool counts = until > from;
    convex &= !counts | (slope >= steepest);
    steepest = counts ? slope : steepest;
    end += counts;
  };
  add(outer, -l.most_discharge, -second);
  add(middle, -second, -first);
  add(inner, -first, -l.least_discharge);
  f.most = -l.least_discharge;
  // Charging, from 0 outwards.
  if (l.most_stored > 0) {
    f.most = l.most_stored;
    if (paid_to_import) {
      const double earning = earning_charge(step, l);
      add(p * per_stored_grid_, 0.0, earning);
      add(0.0, earning, l.most_stored);
    } else {
      const double unused = std::min((l.surplus - sold) * stored_per_solar_, l.from_surplus);
      add(0.0, 0.0, unused);
      add(q * per_stored_solar_, unused, l.from_surplus);
      add(p * per_stored_solar_, l.from_surplus, l.from_solar);
      if (!solar_to_battery_ && q * sold > 0) {
        f.jump = q * sold;
        f.jump_before = static_cast<std::uint8_t>(end - out);
      }
      add(p * per_stored_grid_, l.from_solar, l.most_stored);
    }
  }
  f.count = static_cast<std::uint8_t>(end - out);
  f.convex = convex && f.jump == 0;
}

void StageCostBuilder::build_by_envelope(const Step& step, const Limits& l, CostSegment* out,
                                         StageCost& f) {
  const double p = step.import_price;
  const double q = step.export_price;
  const double slopes = std::max(-p, q) * std::max(per_stored_grid_, 1.0) + wear_;
  const double scale = std::max({step.load, step.solar, l.most_discharge, l.most_stored});
  tolerances_.value = 1e-14 * slopes * scale;
  tolerances_.jump = 1e-12 * slopes * scale;
  envelope_.set_tolerances(tolerances_);
  std::vector<Segment>& branch = branch_.segments;

  const PiecewiseLinear& side = envelope_.result();
  const auto copy = [&](CostSegment* end) {
    for (std::size_t i = 0; i < side.segments.size(); ++i) {
      if (!side.view().is_point(i)) *end++ = {side.segments[i].slope, side.view().end_of(i)};
    }
    return end;
  };

  // Discharging, as a function of the change x <= 0.
  const double low = -l.most_discharge;
  const double high = -l.least_discharge;
  envelope_.start(low, high);
  {  // importing: serves the site only
    const double until = std::min(l.site * per_discharge_, l.most_discharge);
    const double full = std::clamp((step.load - step.import_limit) * per_discharge_,
                                   l.least_discharge, std::max(until, l.least_discharge));
    const double slope = p * discharge_ratio_ - wear_;
    const double imported = std::min(step.load - until * discharge_ratio_, step.import_limit);
    branch.clear();
    const double cost = p * imported + wear_ * until;
    if (until > full) branch.push_back({-until, cost, slope});
    if (full > l.least_discharge || branch.empty()) {
      branch.push_back({-full, cost + slope * (until - full), -wear_});
    }
    branch_.end = high;
    if (until >= l.least_discharge) envelope_.fold(branch_);
  }
  const double from = l.deficit * per_discharge_;  // exporting: at least the deficit is served
  if (from <= l.most_discharge && l.displaced == l.deficit) {
    const double least = std::max(from, l.least_discharge);
    const double full = std::clamp(from + l.room * per_discharge_, least, l.most_discharge);
    const double slope = q * discharge_ratio_ - wear_;
    branch.clear();
    const double cost = wear_ * least - q * (l.sold + (least - from) * discharge_ratio_);
    const double at_full = cost - slope * (full - least);
    if (l.most_discharge > full) {
      branch.push_back({low, at_full + wear_ * (l.most_discharge - full), -wear_});
    }
    if (full > least || branch.empty()) branch.push_back({-full, at_full, slope});
    branch_.end = -least;
    envelope_.fold(branch_);
  }
  f.least = low;
  f.cost_at_least = side.segments.front().value;
  CostSegment* end = copy(out);
  const double before_zero =
      low < high ? side.segments.back().at(high) : side.segments.back().value;
  f.jump = 0;
  f.jump_before = 255;
  f.most = high;

  if (l.most_stored > 0) {
    envelope_.start(0.0, l.most_stored);
    const double idle = p * std::min(step.load, step.import_limit);
    branch.clear();
    const double earning = earning_charge(step, l);
    if (earning > 0) branch.push_back({0.0, idle, p * per_stored_grid_});
    if (l.most_stored > earning) {
      branch.push_back({earning, idle + p * per_stored_grid_ * earning, 0.0});
    }
    branch_.end = l.most_stored;
    envelope_.fold(branch_);
    if (l.from_surplus > 0 && solar_to_grid_ && l.deficit == 0) {
      const double unused = (l.surplus - l.sold) * stored_per_solar_;
      const double free = std::min(unused, l.from_surplus);
      branch.clear();
      if (free > 0) branch.push_back({0.0, -q * l.sold, 0.0});
      if (l.from_surplus > free) branch.push_back({free, -q * l.sold, q * per_stored_solar_});
      branch_.end = l.from_surplus;
      envelope_.fold(branch_);
    }
    f.jump_before = static_cast<std::uint8_t>(end - out);
    f.jump = side.segments.front().value - before_zero;
    if (std::abs(f.jump) <= tolerances_.jump) f.jump = 0;
    end = copy(end);
    f.most = l.most_stored;
  }
  f.count = static_cast<std::uint8_t>(end - out);
  f.convex = f.jump == 0;
  for (const CostSegment* s = out + 1; s < end; ++s) f.convex &= s[-1].slope <= s->slope;
}

}  // namespace bess
