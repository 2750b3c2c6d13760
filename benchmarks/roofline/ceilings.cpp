// How many vector instructions this machine starts in a second: arithmetic, loads, stores.
#include <algorithm>
#include <cstddef>
#include <ctime>

#include "bess/vector.hpp"

namespace {

using namespace bess;

constexpr std::size_t kWidth = sizeof(Vector) / sizeof(double);
constexpr std::size_t kChains = 12;     // enough to hide the latency of two units
constexpr std::size_t kNumbers = 2048;  // 16 KiB, well within the nearest cache
constexpr int kRepetitions = 200'000;
alignas(64) double numbers[kNumbers];

inline void keep(Vector a) {
  asm volatile("" : : "x"(a));
}
inline void forget() {
  asm volatile("" : : : "memory");
}

// The most a second of several runs, each of `instructions`.
template <typename Work>
double most_of_runs(double instructions, Work work) {
  double least = 1e300;
  for (int run = 0; run < 30; ++run) {
    const std::clock_t began = std::clock();  // of this process: others may be at work too
    work();
    least = std::min(least, static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
  }
  return instructions / least;
}

}  // namespace

extern "C" void find_ceilings(double* found) {
  found[0] = most_of_runs(2.0 * kChains * kRepetitions, [] {
    Vector chain[kChains];
    for (Vector& each : chain) each = broadcast(numbers[0]);
    const Vector one = broadcast(numbers[1]);
    const Vector high = broadcast(numbers[2]);
    for (int r = 0; r < kRepetitions; ++r) {
      for (Vector& each : chain) each = least_of(add(each, one), high);
    }
    for (const Vector& each : chain) keep(each);
  });
  constexpr double kPasses = kRepetitions / 100.0;
  found[1] = most_of_runs(kPasses * (kNumbers / kWidth), [] {
    for (int r = 0; r < static_cast<int>(kPasses); ++r) {
      forget();
      for (std::size_t i = 0; i < kNumbers; i += 8 * kWidth) {
        for (std::size_t j = 0; j < 8; ++j) keep(load(numbers + i + j * kWidth));
      }
    }
  });
  found[2] = most_of_runs(kPasses * (kNumbers / kWidth), [] {
    const Vector one = broadcast(numbers[1]);
    for (int r = 0; r < static_cast<int>(kPasses); ++r) {
      for (std::size_t i = 0; i < kNumbers; i += 8 * kWidth) {
        for (std::size_t j = 0; j < 8; ++j) store(one, numbers + i + j * kWidth);
      }
      forget();
    }
  });
}
