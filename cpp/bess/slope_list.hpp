// A convex piecewise-linear value function of stored energy, as its slopes in order.
//
// V(s) is the least cost from here on with s kWh DC stored; -V'(s) is what one more kWh is worth,
// and falls as s grows. The list holds (worth, width) from low s to high s. Adding a step to V, an
// infimal convolution, is a merge of slopes; limits on s cut the ends off.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

namespace bess {

struct Worth {
  double value;  // money per kWh DC
  double width;  // kWh DC
};

// One contiguous array kept in the middle of its buffer: what is inserted shifts the shorter side.
// Never empty: a function defined at one point only keeps an entry of no width.
//
// Where prices are irregular, so are the places at which slopes belong, and a branch on them would
// be foreseen wrongly. Searching, shifting and cutting therefore do not branch on them, as long as
// no more than a block is moved or cut.
class SlopeList {
 public:
  void clear() {
    if (buffer_.empty()) buffer_.resize(1024);
    first_ = last_ = buffer_.size() / 2;
  }
  void append(Worth worth) {
    make_room();
    buffer_[last_++] = worth;
  }

  const Worth* begin() const { return buffer_.data() + first_; }
  const Worth* end() const { return buffer_.data() + last_; }
  const Worth& front() const { return buffer_[first_]; }
  const Worth& back() const { return buffer_[last_ - 1]; }
  std::size_t size() const { return last_ - first_; }

  // How many entries are above `value`.
  std::size_t place_of(double value) const {
    const Worth* const begin = this->begin();
    std::size_t count = size();
    std::size_t place = 0;
    if (count < kBlock) {
      while (place < count && begin[place].value > value) ++place;
      return place;
    }
    while (count > kBlock * kBlock) {
      const std::size_t half = count / 2;
      place += begin[place + half - 1].value > value ? half : 0;
      count -= half;
    }
    const Worth* const left = begin + place;
    for (std::size_t i = kBlock; i < count; i += kBlock) {
      place += left[i - 1].value > value ? kBlock : 0;
    }
    place = std::min(place, size() - kBlock);
    const Worth* const block = begin + place;
    for (std::size_t i = 0; i < kBlock; ++i) place += block[i].value > value ? 1 : 0;
    return place;
  }

  // Requires: `place` is that of its value. The places of greater values stay as they are.
  void insert(std::size_t place, Worth worth) {
    make_room();
    const std::size_t behind = size() - place;
    Worth* const at = buffer_.data() + first_ + place;
    if (at->value == worth.value && behind > 0) {
      at->width += worth.width;
      return;
    }
    const bool down = place < behind;
    const std::size_t blocks = (down ? place : behind) / kBlock + 1;
    const std::ptrdiff_t shift = down ? -1 : 1;
    Worth* block = down ? at - blocks * kBlock : at + (blocks - 1) * kBlock;
    for (std::size_t i = 0; i < blocks; ++i) {
      std::array<Worth, kBlock> copy;
      std::copy_n(block, kBlock, copy.begin());
      std::copy_n(copy.begin(), kBlock, block + shift);
      block -= shift * static_cast<std::ptrdiff_t>(kBlock);
    }
    first_ -= down ? 1 : 0;
    last_ += down ? 0 : 1;
    at[down ? -1 : 0] = worth;
  }

  // The same function of an energy that counts `factor` for 1, `width` wide in all: what rounding
  // made of the widths would grow with every factor, and is taken from the widest.
  void stretch(double factor, double width) {
    Worth* widest = buffer_.data() + first_;
    for (Worth* w = widest; w != buffer_.data() + last_; ++w) {
      w->value /= factor;
      w->width *= factor;
      width -= w->width;
      if (w->width > widest->width) widest = w;
    }
    widest->width = std::max(widest->width + width, 0.0);
  }

  // Cuts `width` off the low end; the last entry stays.
  void cut_low(double width) { first_ += cut_off(buffer_.data() + first_, 1, width); }
  // The same at the high end.
  void cut_high(double width) { last_ -= cut_off(buffer_.data() + last_ - 1, -1, width); }

 private:
  static constexpr std::size_t kBlock = 8;

  // Cuts `width` off the entries from `end` inwards, and returns how many are gone.
  std::size_t cut_off(Worth* end, std::ptrdiff_t inwards, double width) {
    std::size_t gone = 0;
    const std::size_t most = size() - 1;
    if (most > 3) {
      // What is left of it behind one, two and three entries; below 0: they are not all gone.
      const double one = width - end->width;
      const double two = one - end[inwards].width;
      const double three = two - end[2 * inwards].width;
      const double left[] = {width, one, two, three};
      gone = static_cast<std::size_t>((one >= 0) + (two >= 0) + (three >= 0));
      width = left[gone];
      end += inwards * static_cast<std::ptrdiff_t>(gone);
    }
    for (; gone < most && width >= end->width; ++gone) {
      width -= end->width;
      end += inwards;
    }
    end->width = gone < most ? end->width - width : std::max(end->width - width, 0.0);
    return gone;
  }

  // For one more entry, and a block beyond it, at either end: moves the list to the middle again,
  // of a larger buffer if it fills half of this one.
  void make_room() {
    if (first_ > kBlock && last_ + kBlock < buffer_.size()) return;
    const std::size_t count = size();
    if (2 * count > buffer_.size()) buffer_.resize(2 * buffer_.size());
    const std::size_t first = (buffer_.size() - count) / 2;
    std::memmove(buffer_.data() + first, buffer_.data() + first_, count * sizeof(Worth));
    first_ = first;
    last_ = first + count;
  }

  std::vector<Worth> buffer_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace bess
