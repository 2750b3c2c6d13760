// Four doubles worked at once; one double has the same operations (vector.hpp), so that arithmetic
// is written once for either. Local to the translation unit, as vector.hpp is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bess/vector.hpp"

namespace bess {
namespace {

// Four lanes, in as many vectors as that takes: where it takes two, the second fills the pipeline
// while the first waits for its results.
struct Pack {
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kWidth = sizeof(Vector) / sizeof(double);
  static constexpr std::size_t kParts = kLanes / kWidth;

  Vector part[kParts];

  Pack() = default;
  Pack(double value) {
    for (Vector& p : part) p = broadcast(value);
  }
  Pack(double a, double b, double c, double d) { spread(a, b, c, d, part); }

  static Pack from(const double* values) {
    Pack pack;
    for (std::size_t i = 0; i < kParts; ++i) pack.part[i] = load(values + i * kWidth);
    return pack;
  }
  static Pack from(const std::int8_t* values) {
    std::int32_t bytes;
    std::memcpy(&bytes, values, sizeof bytes);
    Pack pack;
    widen(bytes, pack.part);
    return pack;
  }
  void write(double* to) const {
    for (std::size_t i = 0; i < kParts; ++i) store(part[i], to + i * kWidth);
  }
};

inline Pack operator+(Pack a, Pack b) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = add(a.part[i], b.part[i]);
  }
  return result;
}
inline Pack operator-(Pack a, Pack b) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = subtract(a.part[i], b.part[i]);
  }
  return result;
}
inline Pack operator*(Pack a, Pack b) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = multiply(a.part[i], b.part[i]);
  }
  return result;
}
inline Pack least_of(Pack a, Pack b) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = least_of(a.part[i], b.part[i]);
  }
  return result;
}
inline Pack most_of(Pack a, Pack b) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = most_of(a.part[i], b.part[i]);
  }
  return result;
}
inline Pack zero_unless_above(Pack a, Pack b, Pack x) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = zero_unless_above(a.part[i], b.part[i], x.part[i]);
  }
  return result;
}
inline Pack zero_if_above(Pack a, Pack b, Pack x) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = zero_if_above(a.part[i], b.part[i], x.part[i]);
  }
  return result;
}
inline Pack where_above(Pack a, Pack b, Pack x, Pack otherwise) {
  Pack result;
  for (std::size_t i = 0; i < Pack::kParts; ++i) {
    result.part[i] = where_above(a.part[i], b.part[i], x.part[i], otherwise.part[i]);
  }
  return result;
}

}  // namespace
}  // namespace bess
