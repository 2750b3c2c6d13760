// Piecewise-linear functions of stored energy that need not be convex, and their lower envelope.
//
// A function is a row of segments in ascending order and the end of the last one. A segment of no
// width is a point whose value is below its surroundings. Slopes are only ever copied, never
// computed, so that equal slopes are equal bit for bit.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace bess {

struct Segment {
  double start;
  double value;  // at the start; infinite: the function is not defined here
  double slope;

  double at(double s) const { return value + slope * (s - start); }
};

// What is rounding. `width`: no segment that is narrower is kept, points apart; `value`: a function
// is below another only if by more; `jump`: a smaller one is none.
struct Tolerances {
  double width;
  double value;
  double jump;
};

// A function that is stored elsewhere.
struct FunctionView {
  std::span<const Segment> segments;
  double end;

  double start() const { return segments.front().start; }
  double end_of(std::size_t i) const {
    return i + 1 < segments.size() ? segments[i + 1].start : end;
  }
  bool is_point(std::size_t i) const { return segments[i].start >= end_of(i); }
  // Whether a convex piece begins at segment i: the first, a point, behind a jump or a kink
  // downwards.
  bool begins_piece(std::size_t i, const Tolerances& tolerances) const;
  bool is_convex(const Tolerances& tolerances) const;
  // The segment at s, of two the one to the right.
  std::size_t segment_at(double s) const;
  // An end of that segment if one is as near to s as `rounding`, else s.
  double corner_near(double s, double rounding) const;
};

struct PiecewiseLinear {
  std::vector<Segment> segments;
  double end = 0;

  FunctionView view() const { return {segments, end}; }
};

// The lower envelope of convex functions on intervals within [low, high], folded in one by one.
class Envelope {
 public:
  explicit Envelope(const Tolerances& tolerances) : tolerances_(tolerances) {}

  void set_tolerances(const Tolerances& tolerances) { tolerances_ = tolerances; }
  void start(double low, double high);
  // `other` lies within the interval and is defined throughout.
  void fold(const PiecewiseLinear& other);
  const PiecewiseLinear& result() const { return own_; }
  PiecewiseLinear& result() { return own_; }

 private:
  void fold_point(double at, double value);
  void emit(double start, double value, double slope);
  void emit_point(double at, double value);

  Tolerances tolerances_;
  PiecewiseLinear own_;
  std::vector<Segment> out_;
  bool last_is_point_ = false;
};

}  // namespace bess
