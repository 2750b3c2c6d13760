// In most steps 0 <= export price <= import price, nothing limits import, the sun may go wherever
// the battery may, and a detour through the battery gains nothing: then the merit order of
// stage_cost.cpp needs no case, the cost is convex, and its corners are worked out for four steps
// at once.
#include "bess/stage_costs.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

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
    exist_ = problem.site.import_limit.empty() && b.solar_to_battery && alike &&
             stored_per_solar_ * b.dc_to_ac_efficiency <= 1.0 - kRounding;
  }

  bool are(std::size_t t) const {
    const double* buy = problem_.import_price.data() + t;
    const double* sell = problem_.export_price.data() + t;
    bool usual = exist_;
    for (std::size_t i = 0; i < Pack::kLanes; ++i) usual &= sell[i] >= 0 && sell[i] <= buy[i];
    return usual;
  }

  void work(std::size_t t) {
    const Site& site = problem_.site;
    const Battery& b = battery_;
    const Pack buy = Pack::from(problem_.import_price.data() + t);
    const Pack sell = Pack::from(problem_.export_price.data() + t);
    const Pack load = Pack::from(site.load.data() + t);
    const Pack solar = Pack::from(site.solar.data() + t);
    const Pack limit =
        site.export_limit.empty() ? Pack(kNoLimit) : Pack::from(site.export_limit.data() + t);
    const Pack net = load - solar;
    const Pack deficit = most_of(net, 0.0);
    const Pack surplus = deficit - net;
    const Pack sold = site.solar_to_grid ? least_of(surplus, limit) : Pack(0.0);
    const Pack room = site.solar_to_grid ? limit - sold : b.battery_to_grid ? limit : Pack(0.0);
    const Pack outlet = b.battery_to_grid ? load + limit : load;
    const Pack most = least_of(outlet * per_discharge_, b.discharge_limit);
    const Pack import_ends = deficit * per_discharge_;
    const Pack first = least_of(import_ends, most);
    const Pack second = least_of(import_ends + room * per_discharge_, most);
    const Pack from_surplus = least_of(surplus * stored_per_solar_, charge_limit_);
    const Pack from_solar = least_of(solar * stored_per_solar_, charge_limit_);
    const Pack unused = least_of((surplus - sold) * stored_per_solar_, from_surplus);
    const Pack wear = b.degradation_cost;
    const Pack import_slope = buy * b.dc_to_ac_efficiency - wear;
    const Pack export_slope = sell * b.dc_to_ac_efficiency - wear;
    const Pack cost = buy * deficit - sell * sold + wear * (most - second) -
                      export_slope * (second - first) - import_slope * first;
    const Pack zero = 0.0;
    (zero - most).write(ends_[0]);
    (zero - second).write(ends_[1]);
    (zero - first).write(ends_[2]);
    zero.write(ends_[3]);
    unused.write(ends_[4]);
    from_surplus.write(ends_[5]);
    from_solar.write(ends_[6]);
    (b.grid_to_battery ? Pack(charge_limit_) : from_solar).write(ends_[7]);
    (zero - wear).write(slopes_[0]);
    export_slope.write(slopes_[1]);
    import_slope.write(slopes_[2]);
    zero.write(slopes_[3]);
    (sell * per_stored_solar_).write(slopes_[4]);
    (buy * per_stored_solar_).write(slopes_[5]);
    (buy * per_stored_grid_).write(slopes_[6]);
    cost.write(costs_);
  }

  // The step in lane `i` of those last worked. Every segment is written, and the next one over it
  // if it has no width.
  void write(std::size_t i, CostSegment* out, StageCost& f) const {
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

 private:
  static constexpr std::size_t kSlopes = 7;

  const Problem& problem_;
  const Battery& battery_;
  double stored_per_solar_;
  double per_stored_solar_;
  double per_stored_grid_;
  double per_discharge_;
  double charge_limit_;
  bool exist_;
  double ends_[kSlopes + 1][Pack::kLanes];
  double slopes_[kSlopes][Pack::kLanes];
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
      next += (f.count + kRow - 1) / kRow * kRow;
    }
  }
  steepest_ = 0;
  if (kinks_ == 0) return true;
  for (std::size_t t = 0; t < steps; ++t) {
    for (const CostSegment& segment : segments(t)) {
      steepest_ = std::max(steepest_, std::abs(segment.slope));
    }
  }
  return true;
}

}  // namespace bess
