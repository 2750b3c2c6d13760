// Vectors for arrays of megabytes that are written once, front to back.
//
// Filling such an array costs less than the first touch of its pages, so growing leaves new values
// unset, and on Linux large arrays ask for huge pages: the first touch of 20 MB took 7.4 ms in
// pages of 4 KiB and 1.1 ms in pages of 2 MiB.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace bess {

template <typename T>
class LargeAllocator {
 public:
  using value_type = T;

  LargeAllocator() = default;
  template <typename U>
  LargeAllocator(const LargeAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < kLeastLarge) return std::allocator<T>().allocate(count);
    void* const memory = ::operator new(whole_pages(bytes), std::align_val_t{kPage});
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    madvise(memory, whole_pages(bytes), MADV_HUGEPAGE);  // advice: nothing is lost if it fails
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < kLeastLarge) return std::allocator<T>().deallocate(memory, count);
    ::operator delete(memory, std::align_val_t{kPage});
  }

  // Values that are given no value stay unset.
  template <typename U>
  void construct(U* place) {
    ::new (static_cast<void*>(place)) U;
  }
  template <typename U, typename... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
  }

  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }

 private:
#if defined(__linux__)
  static constexpr std::size_t kPage = std::size_t{2} << 20;
#else
  static constexpr std::size_t kPage = 64;
#endif
  static constexpr std::size_t kLeastLarge = std::size_t{1} << 19;

  static std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }
};

template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace bess
