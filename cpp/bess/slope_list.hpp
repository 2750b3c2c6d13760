// A convex piecewise-linear value function of stored energy, as its slopes in order.
//
// V(s) is the least cost from here on with s kWh DC stored; -V'(s) is what one more kWh is worth,
// and falls as s grows. The list holds (worth, width) from low s to high s. Adding a step to V, an
// infimal convolution, is a merge of slopes; limits on s cut the ends off.
#pragma once

#include <algorithm>
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
class SlopeList {
 public:
  void clear() {
    if (buffer_.empty()) buffer_.resize(1024);
    first_ = last_ = buffer_.size() / 2;
  }
  void append(Worth worth) {
    if (last_ == buffer_.size()) make_room();
    buffer_[last_++] = worth;
  }

  const Worth* begin() const { return buffer_.data() + first_; }
  const Worth* end() const { return buffer_.data() + last_; }
  const Worth& front() const { return buffer_[first_]; }
  const Worth& back() const { return buffer_[last_ - 1]; }
  std::size_t size() const { return last_ - first_; }

  void insert(double value, double width) {
    Worth* const begin = buffer_.data() + first_;
    Worth* const end = buffer_.data() + last_;
    Worth* const place = first_not_above(begin, end, value);
    if (place != end && place->value == value) {
      place->width += width;
      return;
    }
    if (first_ == 0 || last_ == buffer_.size()) {
      const std::ptrdiff_t at = place - begin;
      make_room();
      open(buffer_.data() + first_, buffer_.data() + last_, buffer_.data() + first_ + at,
           {value, width});
    } else {
      open(begin, end, place, {value, width});
    }
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

  // Cuts `width` off the low end; the last entry stays. Returns by how much V falls over the cut.
  double cut_low(double width) {
    double fall = 0;
    while (width >= buffer_[first_].width) {
      fall += buffer_[first_].value * buffer_[first_].width;
      if (first_ + 1 == last_) {
        buffer_[first_].width = 0;
        return fall;
      }
      width -= buffer_[first_++].width;
    }
    buffer_[first_].width -= width;
    return fall + buffer_[first_].value * width;
  }
  // The same at the high end.
  void cut_high(double width) {
    while (width >= buffer_[last_ - 1].width) {
      if (first_ + 1 == last_) {
        buffer_[first_].width = 0;
        return;
      }
      width -= buffer_[--last_].width;
    }
    buffer_[last_ - 1].width -= width;
  }

 private:
  static Worth* first_not_above(Worth* begin, Worth* end, double value) {
    std::size_t count = static_cast<std::size_t>(end - begin);
    while (count > 16) {
      const std::size_t half = count / 2;
      begin = begin[half - 1].value > value ? begin + half : begin;
      count -= half;
    }
    while (count > 0 && begin->value > value) {
      ++begin;
      --count;
    }
    return begin;
  }

  void open(Worth* begin, Worth* end, Worth* place, Worth worth) {
    if (place - begin < end - place) {
      for (Worth* w = begin; w != place; ++w) w[-1] = *w;
      --first_;
      place[-1] = worth;
    } else {
      for (Worth* w = end; w != place; --w) *w = w[-1];
      ++last_;
      *place = worth;
    }
  }

  // Moves the list to the middle again, of a larger buffer if it fills half of this one.
  void make_room() {
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
