// Stands in for the core's vector.hpp: the same operations on plain doubles, and a count of them.
#pragma once

#include <cstddef>

namespace bess {
namespace {

struct Vector {
  double lanes[BESS_WIDTH];
};

// Vector instructions so far, as the kernels' source has them. Broadcasts are not counted.
struct Counts {
  double arithmetic = 0;  // additions, products, minima, maxima, comparisons
  double loads = 0;
  double stores = 0;
};
Counts counts;

template <typename Operation>
Vector each(Vector a, Vector b, Operation operation) {
  ++counts.arithmetic;
  Vector c;
  for (std::size_t i = 0; i < BESS_WIDTH; ++i) c.lanes[i] = operation(a.lanes[i], b.lanes[i]);
  return c;
}

inline double least_of(double a, double b) {
  return a < b ? a : b;
}
inline double most_of(double a, double b) {
  return a > b ? a : b;
}
inline Vector broadcast(double value) {
  Vector c;
  for (double& lane : c.lanes) lane = value;
  return c;
}
inline Vector load(const double* from) {
  ++counts.loads;
  Vector c;
  for (std::size_t i = 0; i < BESS_WIDTH; ++i) c.lanes[i] = from[i];
  return c;
}
inline void store(Vector a, double* to) {
  ++counts.stores;
  for (std::size_t i = 0; i < BESS_WIDTH; ++i) to[i] = a.lanes[i];
}
inline Vector add(Vector a, Vector b) {
  return each(a, b, [](double x, double y) { return x + y; });
}
inline Vector subtract(Vector a, Vector b) {
  return each(a, b, [](double x, double y) { return x - y; });
}
inline Vector multiply(Vector a, Vector b) {
  return each(a, b, [](double x, double y) { return x * y; });
}
inline Vector least_of(Vector a, Vector b) {
  return each(a, b, [](double x, double y) { return x < y ? x : y; });
}
inline Vector most_of(Vector a, Vector b) {
  return each(a, b, [](double x, double y) { return x > y ? x : y; });
}
inline Vector where_above(Vector a, Vector b, Vector x, Vector otherwise) {
  ++counts.arithmetic;
  Vector c;
  for (std::size_t i = 0; i < BESS_WIDTH; ++i) {
    c.lanes[i] = a.lanes[i] > b.lanes[i] ? x.lanes[i] : otherwise.lanes[i];
  }
  return c;
}
inline bool any_above(Vector a, Vector b) {
  ++counts.arithmetic;
  for (std::size_t i = 0; i < BESS_WIDTH; ++i) {
    if (a.lanes[i] > b.lanes[i]) return true;
  }
  return false;
}

}  // namespace
}  // namespace bess
