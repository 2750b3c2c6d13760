// The machine's vector of doubles, and the few operations that kernels need of it.
//
// Each operation is the IEEE one on every lane; minimum and maximum return their second argument
// unless the first is strictly less, or more. So a lane's bits depend neither on the machine nor on
// its neighbours. All of it is local to the translation unit that includes it, because each is
// compiled for an instruction set of its own: AVX-512, AVX2, else what every machine of its kind
// has (SSE2, NEON), else plain doubles.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#endif

namespace bess {
namespace {

// The operations on one double. `zero_if_above(a, b, x)` is a > b ? 0 : x, and so on.
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

// The same on a vector, and `any_above`: whether a > b in any lane. Where a vector holds no more
// than four values: `spread`, four values to as many vectors as they fill; `widen`, the same for
// four signed bytes.
#if defined(__AVX512F__)

using Vector = __m512d;

// Compilers warn of the unmasked forms, whose headers leave lanes undefined.
constexpr __mmask8 kEveryLane = 0xff;

inline Vector broadcast(double value) {
  return _mm512_set1_pd(value);
}
inline Vector load(const double* from) {
  return _mm512_loadu_pd(from);
}
inline void store(Vector a, double* to) {
  _mm512_storeu_pd(to, a);
}
inline Vector add(Vector a, Vector b) {
  return _mm512_add_pd(a, b);
}
inline Vector subtract(Vector a, Vector b) {
  return _mm512_sub_pd(a, b);
}
inline Vector multiply(Vector a, Vector b) {
  return _mm512_mul_pd(a, b);
}
inline Vector least_of(Vector a, Vector b) {
  return _mm512_maskz_min_pd(kEveryLane, a, b);
}
inline Vector most_of(Vector a, Vector b) {
  return _mm512_maskz_max_pd(kEveryLane, a, b);
}
inline bool any_above(Vector a, Vector b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ) != 0;
}
inline Vector where_above(Vector a, Vector b, Vector x, Vector otherwise) {
  return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), otherwise, x);
}

#elif defined(__AVX2__)

using Vector = __m256d;

inline Vector broadcast(double value) {
  return _mm256_set1_pd(value);
}
inline Vector load(const double* from) {
  return _mm256_loadu_pd(from);
}
inline void store(Vector a, double* to) {
  _mm256_storeu_pd(to, a);
}
inline Vector add(Vector a, Vector b) {
  return _mm256_add_pd(a, b);
}
inline Vector subtract(Vector a, Vector b) {
  return _mm256_sub_pd(a, b);
}
inline Vector multiply(Vector a, Vector b) {
  return _mm256_mul_pd(a, b);
}
inline Vector least_of(Vector a, Vector b) {
  return _mm256_min_pd(a, b);
}
inline Vector most_of(Vector a, Vector b) {
  return _mm256_max_pd(a, b);
}
inline bool any_above(Vector a, Vector b) {
  return _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ)) != 0;
}
inline Vector zero_unless_above(Vector a, Vector b, Vector x) {
  return _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ), x);
}
inline Vector zero_if_above(Vector a, Vector b, Vector x) {
  return _mm256_andnot_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ), x);
}
inline Vector where_above(Vector a, Vector b, Vector x, Vector otherwise) {
  return _mm256_or_pd(zero_unless_above(a, b, x), zero_if_above(a, b, otherwise));
}
inline void spread(double a, double b, double c, double d, Vector* to) {
  to[0] = _mm256_set_pd(d, c, b, a);
}
inline void widen(std::int32_t bytes, Vector* to) {
  to[0] = _mm256_cvtepi32_pd(_mm_cvtepi8_epi32(_mm_cvtsi32_si128(bytes)));
}

#elif defined(__SSE2__) || defined(_M_X64)

using Vector = __m128d;

inline Vector broadcast(double value) {
  return _mm_set1_pd(value);
}
inline Vector load(const double* from) {
  return _mm_loadu_pd(from);
}
inline void store(Vector a, double* to) {
  _mm_storeu_pd(to, a);
}
inline Vector add(Vector a, Vector b) {
  return _mm_add_pd(a, b);
}
inline Vector subtract(Vector a, Vector b) {
  return _mm_sub_pd(a, b);
}
inline Vector multiply(Vector a, Vector b) {
  return _mm_mul_pd(a, b);
}
inline Vector least_of(Vector a, Vector b) {
  return _mm_min_pd(a, b);
}
inline Vector most_of(Vector a, Vector b) {
  return _mm_max_pd(a, b);
}
inline bool any_above(Vector a, Vector b) {
  return _mm_movemask_pd(_mm_cmpgt_pd(a, b)) != 0;
}
inline Vector zero_unless_above(Vector a, Vector b, Vector x) {
  return _mm_and_pd(_mm_cmpgt_pd(a, b), x);
}
inline Vector zero_if_above(Vector a, Vector b, Vector x) {
  return _mm_andnot_pd(_mm_cmpgt_pd(a, b), x);
}
inline Vector where_above(Vector a, Vector b, Vector x, Vector otherwise) {
  return _mm_or_pd(zero_unless_above(a, b, x), zero_if_above(a, b, otherwise));
}
inline void spread(double a, double b, double c, double d, Vector* to) {
  to[0] = _mm_set_pd(b, a);
  to[1] = _mm_set_pd(d, c);
}
inline void widen(std::int32_t bytes, Vector* to) {
  const __m128i once = _mm_cvtsi32_si128(bytes);
  const __m128i twice = _mm_unpacklo_epi8(once, once);
  const __m128i whole = _mm_srai_epi32(_mm_unpacklo_epi16(twice, twice), 24);
  to[0] = _mm_cvtepi32_pd(whole);
  to[1] = _mm_cvtepi32_pd(_mm_unpackhi_epi64(whole, whole));
}

#elif defined(__aarch64__) || defined(_M_ARM64)

using Vector = float64x2_t;

inline Vector broadcast(double value) {
  return vdupq_n_f64(value);
}
inline Vector load(const double* from) {
  return vld1q_f64(from);
}
inline void store(Vector a, double* to) {
  vst1q_f64(to, a);
}
inline Vector add(Vector a, Vector b) {
  return vaddq_f64(a, b);
}
inline Vector subtract(Vector a, Vector b) {
  return vsubq_f64(a, b);
}
inline Vector multiply(Vector a, Vector b) {
  return vmulq_f64(a, b);
}
inline Vector least_of(Vector a, Vector b) {
  return vbslq_f64(vcltq_f64(a, b), a, b);
}
inline Vector most_of(Vector a, Vector b) {
  return vbslq_f64(vcgtq_f64(a, b), a, b);
}
inline bool any_above(Vector a, Vector b) {
  const uint64x2_t above = vcgtq_f64(a, b);
  return (vgetq_lane_u64(above, 0) | vgetq_lane_u64(above, 1)) != 0;
}
inline Vector where_above(Vector a, Vector b, Vector x, Vector otherwise) {
  return vbslq_f64(vcgtq_f64(a, b), x, otherwise);
}
inline Vector zero_unless_above(Vector a, Vector b, Vector x) {
  return where_above(a, b, x, broadcast(0.0));
}
inline Vector zero_if_above(Vector a, Vector b, Vector x) {
  return where_above(a, b, broadcast(0.0), x);
}
inline void spread(double a, double b, double c, double d, Vector* to) {
  to[0] = vsetq_lane_f64(b, broadcast(a), 1);
  to[1] = vsetq_lane_f64(d, broadcast(c), 1);
}
inline void widen(std::int32_t bytes, Vector* to) {
  const int8x8_t once = vreinterpret_s8_s32(vdup_n_s32(bytes));
  const int32x4_t whole = vmovl_s16(vget_low_s16(vmovl_s8(once)));
  to[0] = vcvtq_f64_s64(vmovl_s32(vget_low_s32(whole)));
  to[1] = vcvtq_f64_s64(vmovl_s32(vget_high_s32(whole)));
}

#else

using Vector = double;

inline Vector broadcast(double value) {
  return value;
}
inline Vector load(const double* from) {
  return *from;
}
inline void store(Vector a, double* to) {
  *to = a;
}
inline Vector add(Vector a, Vector b) {
  return a + b;
}
inline Vector subtract(Vector a, Vector b) {
  return a - b;
}
inline Vector multiply(Vector a, Vector b) {
  return a * b;
}
inline bool any_above(Vector a, Vector b) {
  return a > b;
}
inline void spread(double a, double b, double c, double d, Vector* to) {
  to[0] = a;
  to[1] = b;
  to[2] = c;
  to[3] = d;
}
inline void widen(std::int32_t bytes, Vector* to) {
  std::int8_t each[4];
  std::memcpy(each, &bytes, sizeof each);
  for (std::size_t i = 0; i < 4; ++i) to[i] = each[i];
}

#endif

}  // namespace
}  // namespace bess
