#include "arrays.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

namespace bess::border {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostPooledBytes = std::size_t{64} << 20;

struct Block {
  double* data;
  std::size_t size;
};

class Pool {
 public:
  Block take(std::size_t size) {
    {
      const std::scoped_lock lock(mutex_);
      const auto found = std::find_if(free_.begin(), free_.end(),
                                      [&](const Block& block) { return block.size == size; });
      if (found != free_.end()) {
        const Block block = *found;
        free_.erase(found);
        bytes_ -= size * sizeof(double);
        return block;
      }
    }
    const std::size_t bytes = std::max<std::size_t>(size, 1) * sizeof(double);
    return {static_cast<double*>(::operator new(bytes, std::align_val_t{kAlignment})), size};
  }

  void give_back(Block block) {
    std::vector<Block> dropped;
    {
      const std::scoped_lock lock(mutex_);
      free_.push_back(block);
      bytes_ += block.size * sizeof(double);
      while (bytes_ > kMostPooledBytes) {  // the oldest go first
        dropped.push_back(free_.front());
        bytes_ -= free_.front().size * sizeof(double);
        free_.erase(free_.begin());
      }
    }
    for (const Block& old : dropped) release(old);
  }

 private:
  static void release(Block block) { ::operator delete(block.data, std::align_val_t{kAlignment}); }

  std::mutex mutex_;
  std::vector<Block> free_;
  std::size_t bytes_ = 0;
};

Pool& pool() {
  static Pool* const instance = new Pool;  // outlives every array, even at interpreter exit
  return *instance;
}

}  // namespace

double* take_block(std::size_t size) {
  return pool().take(size).data;
}

py::array block_array(double* block, std::vector<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  auto owned = std::make_unique<Block>(Block{block, size});
  const py::capsule owner(owned.get(), [](void* pointer) {
    const std::unique_ptr<Block> freed(static_cast<Block*>(pointer));
    pool().give_back(*freed);
  });
  static_cast<void>(owned.release());  // the capsule owns it now
  py::array_t<double> array(std::vector<py::ssize_t>(shape.begin(), shape.end()), block, owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

}  // namespace bess::border
