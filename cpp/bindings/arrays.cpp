#include "arrays.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace bess::border {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostPooledBytes = std::size_t{64} << 20;
constexpr std::size_t kMostPooledBlocks = 256;

class Pool {
 public:
  Pool() { free_.reserve(kMostPooledBlocks + 1); }

  double* take(std::size_t size) {
    {
      const std::scoped_lock lock(mutex_);
      const auto found = std::find_if(free_.begin(), free_.end(),
                                      [&](const Free& block) { return block.size == size; });
      if (found != free_.end()) {
        double* const data = found->data;
        free_.erase(found);
        bytes_ -= size * sizeof(double);
        return data;
      }
    }
    const std::size_t bytes = std::max<std::size_t>(size, 1) * sizeof(double);
    return static_cast<double*>(::operator new(bytes, std::align_val_t{kAlignment}));
  }

  void give_back(double* data, std::size_t size) noexcept {
    const std::scoped_lock lock(mutex_);
    free_.push_back({data, size});  // within what is reserved: it cannot throw
    bytes_ += size * sizeof(double);
    std::size_t dropped = 0;  // the oldest go first
    for (; bytes_ > kMostPooledBytes || free_.size() - dropped > kMostPooledBlocks; ++dropped) {
      bytes_ -= free_[dropped].size * sizeof(double);
      ::operator delete(free_[dropped].data, std::align_val_t{kAlignment});
    }
    free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(dropped));
  }

 private:
  struct Free {
    double* data;
    std::size_t size;
  };

  std::mutex mutex_;
  std::vector<Free> free_;
  std::size_t bytes_ = 0;
};

Pool& pool() {
  static Pool* const instance = new Pool;  // outlives every array, even at interpreter exit
  return *instance;
}

}  // namespace

void GiveBack::operator()(double* block) const noexcept {
  pool().give_back(block, size);
}

Block take_block(std::size_t size) {
  return {pool().take(size), GiveBack{size}};
}

py::array block_array(Block block, const std::vector<std::size_t>& shape) {
  double* const data = block.get();
  auto owned = std::make_unique<Block>(std::move(block));
  const py::capsule owner(owned.get(), [](void* pointer) { delete static_cast<Block*>(pointer); });
  static_cast<void>(owned.release());  // the capsule owns it now
  py::array_t<double> array(std::vector<py::ssize_t>(shape.begin(), shape.end()), data, owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

}  // namespace bess::border
