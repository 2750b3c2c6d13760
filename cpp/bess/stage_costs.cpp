// In most steps 0 <= export price <= import price, nothing limits import, the sun may go wherever
// the battery may, and a detour through the battery gains nothing: then the merit order of
// stage_cost.cpp needs no case, the cost is convex, and its corners are worked out for four steps
// at once.
#include "bess/stage_costs.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bess/convex_hull.hpp"
#include "bess/pack.hpp"

namespace bess {
namespace {

constexpr double kRounding = 1e-12;

class UsualSteps {
 public:
  explicit UsualSteps(const Problem& problem)
      : problem_(problem), battery_(problem.devices.front().battery) {
    const Battery& b = battery_;
    const double solar_ratio = b.solar_charge_ratio(problem.site.solar_dc_to_ac_efficiency);
    stored_per_solar_ = solar_ratio * b.input_efficiency;
    per_stored_solar_ = 1.0 / stored_per_solar_;
    per_stored_grid_ = 1.0 / (b.ac_to_dc_efficiency * b.input_efficiency);
    per_discharge_ = 1.0 / b.dc_to_ac_efficiency;
    charge_limit_ = b.charge_limit * b.input_efficiency;
    // Sun that may not be sold could be stored for nothing while the battery's energy is sold.
    const bool alike = problem.site.solar_to_grid || !b.battery_to_grid;
    sells_all_ = problem.site.solar_to_grid && problem.site.export_limit.empty();
    most_given_ = b.discharge_limit * b.dc_to_ac_efficiency;
    most_taken_ = b.grid_to_battery ? b.charge_limit / b.ac_to_dc_efficiency : 0.0;
    exist_ = problem.site.import_limit.empty() && b.solar_to_battery && alike &&
             stored_per_solar_ * b.dc_to_ac_efficiency <= 1.0 - kRounding;
  }

  bool are(std::size_t t) const {
    const double* buy = problem_.import_price.data() + t;
    const double* sell = problem_.export_price.data() + t;
    bool usual = exist_;
    for (std::size_t i = 0; i < Pack::kLanes; ++i) usual &= sell[i] >= 0 && sell[i] <= buy[i];
    if (problem_.site.inverter_limit.empty()) return usual;
    for (std::size_t i = t; i < t + Pack::kLanes; ++i) {  // the limit is out of reach
      const double most = std::max(problem_.site.solar[i] + most_given_, most_taken_);
      usual &= most <= problem_.site.inverter_limit[i];
    }
    return usual;
  }

  void work(std::size_t t) {
    if (sells_all_) {
      work_as<true>(t);
    } else {
      work_as<false>(t);
    }
  }

  // The step in lane `i` of those last worked.
  void write(std::size_t i, CostSegment* out, StageCost& f) const {
    if (sells_all_) {
      write_as<kFewSlopes>(i, out, f);
    } else {
      write_as<kMostSlopes>(i, out, f);
    }
  }

 private:
  static constexpr std::size_t kFewSlopes = 5;
  static constexpr std::size_t kMostSlopes = 7;

  // Where all of the surplus may be sold, none is left unused, and discharging frees none.
  template <bool kSellsAll>
  void work_as(std::size_t t) {
    const Site& site = problem_.site;
    const Battery& b = battery_;
    const Pack buy = Pack::from(problem_.import_price.data() + t);
    const Pack sell = Pack::from(problem_.export_price.data() + t);
    const Pack load = Pack::from(site.load.data() + t);
    const Pack solar = Pack::from(site.solar.data() + t);
    const Pack limit = kSellsAll || site.export_limit.empty()
                           ? Pack(kNoLimit)
                           : Pack::from(site.export_limit.data() + t);
    const Pack net = load - solar;
    const Pack deficit = most_of(net, 0.0);
    const Pack surplus = deficit - net;
    const Pack sold = kSellsAll            ? surplus
                      : site.solar_to_grid ? least_of(surplus, limit)
                                           : Pack(0.0);
    const Pack outlet = b.battery_to_grid ? load + limit : load;
    const Pack most = least_of(outlet * per_discharge_, b.discharge_limit);
    const Pack import_ends = deficit * per_discharge_;
    const Pack first = least_of(import_ends, most);
    const Pack from_surplus = least_of(surplus * stored_per_solar_, charge_limit_);
    const Pack from_solar = least_of(solar * stored_per_solar_, charge_limit_);
    const Pack wear = b.degradation_cost;
    const Pack import_slope = buy * b.dc_to_ac_efficiency - wear;
    const Pack export_slope = sell * b.dc_to_ac_efficiency - wear;
    const Pack zero = 0.0;
    Pack cost = buy * deficit - sell * sold;
    std::size_t k = 0;
    const auto add = [&](Pack slope, Pack end) {
      slope.write(slopes_[k]);
      end.write(ends_[++k]);
    };
    (zero - most).write(ends_[0]);
    if constexpr (kSellsAll) {
      cost = cost - export_slope * (most - first) - import_slope * first;
      add(export_slope, zero - first);
      add(import_slope, zero);
    } else {
      const Pack room = site.solar_to_grid ? limit - sold : b.battery_to_grid ? limit : zero;
      const Pack second = least_of(import_ends + room * per_discharge_, most);
      const Pack unused = least_of((surplus - sold) * stored_per_solar_, from_surplus);
      cost = cost + wear * (most - second) - export_slope * (second - first) - import_slope * first;
      add(zero - wear, zero - second);
      add(export_slope, zero - first);
      add(import_slope, zero);
      add(zero, unused);
    }
    add(sell * per_stored_solar_, from_surplus);
    add(buy * per_stored_solar_, from_solar);
    add(buy * per_stored_grid_, b.grid_to_battery ? Pack(charge_limit_) : from_solar);
    cost.write(costs_);
  }

  // Every segment is written, and the next one over it if it has no width.
  template <std::size_t kSlopes>
  void write_as(std::size_t i, CostSegment* out, StageCost& f) const {
    CostSegment* end = out;
    for (std::size_t k = 0; k < kSlopes; ++k) {
      *end = {slopes_[k][i], ends_[k + 1][i]};
      end += ends_[k + 1][i] > ends_[k][i];
    }
    f.least = ends_[0][i];
    f.most = ends_[kSlopes][i];
    f.cost_at_least = costs_[i];
    f.jump = 0;
    f.count = static_cast<std::uint8_t>(end - out);
    f.jump_before = 255;
    f.convex = true;
    f.feasible = true;
  }

  const Problem& problem_;
  const Battery& battery_;
  double stored_per_solar_;
  double per_stored_solar_;
  double per_stored_grid_;
  double per_discharge_;
  double charge_limit_;
  double most_given_;  // through the inverter, kWh AC
  double most_taken_;
  bool exist_;
  bool sells_all_;
  double ends_[kMostSlopes + 1][Pack::kLanes];
  double slopes_[kMostSlopes][Pack::kLanes];
  double costs_[Pack::kLanes];
};

}  // namespace

bool StageCosts::build(const Problem& problem) {
  const std::size_t steps = problem.site.steps();
  StageCostBuilder builder(problem.site, problem.devices.front().battery);
  UsualSteps usual(problem);
  constexpr std::size_t kMost = StageCostBuilder::kMostSegments + kRow;
  costs_.resize(steps);
  if (segments_.size() < steps * 2 * kRow) segments_.resize(steps * 2 * kRow);
  kinks_ = 0;
  std::size_t next = 0;
  for (std::size_t t = 0; t < steps;) {
    if (next + Pack::kLanes * kMost > segments_.size()) {
      segments_.resize(2 * segments_.size() + Pack::kLanes * kMost);
    }
    const std::size_t lanes = std::min(steps - t, Pack::kLanes);
    const bool is_usual = lanes == Pack::kLanes && usual.are(t);
    if (is_usual) usual.work(t);
    for (std::size_t i = 0; i < lanes; ++i, ++t) {
      CostSegment* const out = segments_.data() + next;
      StageCost& f = costs_[t];
      if (is_usual) {
        usual.write(i, out, f);
        assert(std::is_sorted(out, out + f.count, [](const CostSegment& a, const CostSegment& b) {
          return a.slope < b.slope;
        }));
      } else {
        builder.build(problem.step(t), out, f);
        if (!f.feasible) return false;
        kinks_ += f.convex ? 0 : 1;
      }
      for (std::size_t k = 0; k < kRow; ++k) out[f.count + k] = {kNoLimit, f.most};
      f.first = static_cast<std::uint32_t>(next);
      next += filled(f.count);
    }
  }
  replaced_.clear();
  end_ = replaced_end_ = next;
  count_in_units(problem.devices.front().battery.retention);
  steepest_ = 0;
  built_kinks_ = kinks_;
  built_steepest_ = 0;
  if (kinks_ == 0) return true;
  for (std::size_t t = 0; t < steps; ++t) {
    const std::span<const CostSegment> all = segments(t);
    if (all.empty()) continue;
    steepest_ = std::max({steepest_, std::abs(all.front().slope), std::abs(all.back().slope)});
    if (costs_[t].convex) continue;
    for (const CostSegment& s : all) steepest_ = std::max(steepest_, std::abs(s.slope));
  }
  built_steepest_ = steepest_;
  return true;
}

void StageCosts::make_convex() {
  for (std::size_t t = 0; t < costs_.size(); ++t) {
    if (costs_[t].convex) continue;
    CostSegment* const out = segments_.data() + costs_[t].first;
    const std::size_t room = filled(costs_[t].count);
    costs_[t] = convex_hull(costs_[t], segments(t), out);
    std::fill(out + costs_[t].count, out + room, CostSegment{kNoLimit, costs_[t].most});
  }
  kinks_ = built_kinks_ = 0;
}

void StageCosts::replace(std::size_t t, const StageCost& cost,
                         std::span<const CostSegment> segments) {
  if (replaced_end_ + segments.size() + kRow > segments_.size()) {
    segments_.resize(2 * segments_.size() + segments.size() + kRow);
  }
  if (!cost.convex) {
    kinks_ += costs_[t].convex ? 1 : 0;
    for (const CostSegment& s : segments) steepest_ = std::max(steepest_, std::abs(s.slope));
  }
  replaced_.push_back({t, costs_[t]});
  costs_[t] = cost;
  costs_[t].first = static_cast<std::uint32_t>(replaced_end_);
  CostSegment* const out = segments_.data() + replaced_end_;
  std::copy(segments.begin(), segments.end(), out);
  std::fill_n(out + segments.size(), kRow, CostSegment{kNoLimit, cost.most});
  replaced_end_ += filled(segments.size());
}

void StageCosts::restore() {
  for (const Replaced& replaced : replaced_) costs_[replaced.step] = replaced.cost;
  replaced_.clear();
  replaced_end_ = end_;
  kinks_ = built_kinks_;
  steepest_ = built_steepest_;
}

void StageCosts::count_in_units(double retention) {
  unit_.clear();
  if (retention == 1.0) return;
  unit_.resize(costs_.size() + 1);
  left_.resize(costs_.size());
  unit_[0] = 1.0;
  for (std::size_t t = 0; t < costs_.size(); ++t) {
    int halvings = 0;
    unit_[t + 1] = std::frexp(unit_[t] * retention, &halvings);
    left_[t] = std::ldexp(1.0, halvings);
    StageCost& f = costs_[t];
    const double unit = unit_[t + 1];
    f.least /= unit;
    f.most /= unit;
    CostSegment* const first = segments_.data() + f.first;
    for (CostSegment* s = first; s != first + filled(f.count); ++s) {
      *s = {s->slope * unit, s->end / unit};
    }
  }
}

}  // namespace bess
