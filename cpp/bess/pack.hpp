// Four doubles worked at once, in the vectors that every machine of its kind has (SSE2, NEON), and
// the same few operations on one double, so that arithmetic is written once for either.
//
// Each operation is the IEEE one on each lane, minimum and maximum included: they return their
// second argument unless the first is strictly less, or more. So a lane's bits depend neither on
// the machine nor on its neighbours.
#pragma once

#include <cstddef>

#if defined(__SSE2__) || defined(_M_X64)
#define BESS_SSE2
#include <emmintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BESS_NEON
#include <arm_neon.h>
#endif

namespace bess {

// The operations on one double.
inline double least_of(double a, double b) {
  return a < b ? a : b;
}
inline double most_of(double a, double b) {
  return a > b ? a : b;
}
inline double where_above(double a, double b, double x, double otherwise) {
  return a > b ? x : otherwise;
}
inline double zero_unless_above(double a, double b, double x) {
  return a > b ? x : 0.0;
}
inline double zero_if_above(double a, double b, double x) {
  return a > b ? 0.0 : x;
}

// The same on two doubles: the machine's own vector.
#if defined(BESS_SSE2)

using Pair = __m128d;

inline Pair pair_of(double a, double b) {
  return _mm_set_pd(b, a);
}
inline Pair load_pair(const double* from) {
  return _mm_loadu_pd(from);
}
inline void store_pair(Pair a, double* to) {
  _mm_storeu_pd(to, a);
}
inline Pair add(Pair a, Pair b) {
  return _mm_add_pd(a, b);
}
inline Pair subtract(Pair a, Pair b) {
  return _mm_sub_pd(a, b);
}
inline Pair multiply(Pair a, Pair b) {
  return _mm_mul_pd(a, b);
}
inline Pair least_of(Pair a, Pair b) {
  return _mm_min_pd(a, b);
}
inline Pair most_of(Pair a, Pair b) {
  return _mm_max_pd(a, b);
}
inline Pair zero_unless_above(Pair a, Pair b, Pair x) {
  return _mm_and_pd(_mm_cmpgt_pd(a, b), x);
}
inline Pair zero_if_above(Pair a, Pair b, Pair x) {
  return _mm_andnot_pd(_mm_cmpgt_pd(a, b), x);
}
inline Pair where_above(Pair a, Pair b, Pair x, Pair otherwise) {
  return _mm_or_pd(zero_unless_above(a, b, x), zero_if_above(a, b, otherwise));
}

#elif defined(BESS_NEON)

using Pair = float64x2_t;

inline Pair pair_of(double a, double b) {
  return vsetq_lane_f64(b, vdupq_n_f64(a), 1);
}
inline Pair load_pair(const double* from) {
  return vld1q_f64(from);
}
inline void store_pair(Pair a, double* to) {
  vst1q_f64(to, a);
}
inline Pair add(Pair a, Pair b) {
  return vaddq_f64(a, b);
}
inline Pair subtract(Pair a, Pair b) {
  return vsubq_f64(a, b);
}
inline Pair multiply(Pair a, Pair b) {
  return vmulq_f64(a, b);
}
inline Pair where_above(Pair a, Pair b, Pair x, Pair otherwise) {
  return vbslq_f64(vcgtq_f64(a, b), x, otherwise);
}
inline Pair least_of(Pair a, Pair b) {
  return where_above(b, a, a, b);
}
inline Pair most_of(Pair a, Pair b) {
  return where_above(a, b, a, b);
}
inline Pair zero_unless_above(Pair a, Pair b, Pair x) {
  return where_above(a, b, x, vdupq_n_f64(0.0));
}
inline Pair zero_if_above(Pair a, Pair b, Pair x) {
  return where_above(a, b, vdupq_n_f64(0.0), x);
}

#else

struct Pair {
  double a;
  double b;
};

inline Pair pair_of(double a, double b) {
  return {a, b};
}
inline Pair load_pair(const double* from) {
  return {from[0], from[1]};
}
inline void store_pair(Pair a, double* to) {
  to[0] = a.a;
  to[1] = a.b;
}
inline Pair add(Pair a, Pair b) {
  return {a.a + b.a, a.b + b.b};
}
inline Pair subtract(Pair a, Pair b) {
  return {a.a - b.a, a.b - b.b};
}
inline Pair multiply(Pair a, Pair b) {
  return {a.a * b.a, a.b * b.b};
}
inline Pair least_of(Pair a, Pair b) {
  return {least_of(a.a, b.a), least_of(a.b, b.b)};
}
inline Pair most_of(Pair a, Pair b) {
  return {most_of(a.a, b.a), most_of(a.b, b.b)};
}
inline Pair where_above(Pair a, Pair b, Pair x, Pair otherwise) {
  return {where_above(a.a, b.a, x.a, otherwise.a), where_above(a.b, b.b, x.b, otherwise.b)};
}
inline Pair zero_unless_above(Pair a, Pair b, Pair x) {
  return where_above(a, b, x, {0.0, 0.0});
}
inline Pair zero_if_above(Pair a, Pair b, Pair x) {
  return where_above(a, b, {0.0, 0.0}, x);
}

#endif

// Two pairs side by side: the second fills the pipeline while the first waits for its results.
struct Pack {
  static constexpr std::size_t kLanes = 4;

  Pair low;
  Pair high;

  Pack(Pair first, Pair second) : low(first), high(second) {}
  Pack(double value) : low(pair_of(value, value)), high(low) {}
  Pack(double a, double b, double c, double d) : low(pair_of(a, b)), high(pair_of(c, d)) {}

  static Pack load(const double* from) { return {load_pair(from), load_pair(from + 2)}; }
  void store(double* to) const {
    store_pair(low, to);
    store_pair(high, to + 2);
  }
};

inline Pack operator+(Pack a, Pack b) {
  return {add(a.low, b.low), add(a.high, b.high)};
}
inline Pack operator-(Pack a, Pack b) {
  return {subtract(a.low, b.low), subtract(a.high, b.high)};
}
inline Pack operator*(Pack a, Pack b) {
  return {multiply(a.low, b.low), multiply(a.high, b.high)};
}
inline Pack least_of(Pack a, Pack b) {
  return {least_of(a.low, b.low), least_of(a.high, b.high)};
}
inline Pack most_of(Pack a, Pack b) {
  return {most_of(a.low, b.low), most_of(a.high, b.high)};
}
inline Pack where_above(Pack a, Pack b, Pack x, Pack otherwise) {
  return {where_above(a.low, b.low, x.low, otherwise.low),
          where_above(a.high, b.high, x.high, otherwise.high)};
}
inline Pack zero_unless_above(Pack a, Pack b, Pack x) {
  return {zero_unless_above(a.low, b.low, x.low), zero_unless_above(a.high, b.high, x.high)};
}
inline Pack zero_if_above(Pack a, Pack b, Pack x) {
  return {zero_if_above(a.low, b.low, x.low), zero_if_above(a.high, b.high, x.high)};
}

}  // namespace bess
