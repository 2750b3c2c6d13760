// What the border knows of NumPy: borrowing spans, and handing out blocks of series.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace bess::border {

namespace py = pybind11;

// Arguments are declared noconvert: Python hands over contiguous arrays of the right type.
template <typename T>
using Array = py::array_t<T, py::array::c_style>;

template <typename T>
std::span<const T> borrow(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

template <typename T>
std::span<const T> borrow(const std::optional<Array<T>>& array) {
  return array ? borrow(*array) : std::span<const T>{};
}

// A view of numbers that `owner` keeps alive; nobody may write to it.
template <typename T>
py::array view(std::span<const T> values, py::handle owner) {
  py::array_t<T> array({values.size()}, {sizeof(T)}, values.data(), owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

struct GiveBack {
  std::size_t size;
  void operator()(double* block) const noexcept;
};

// Uninitialised doubles from a small pool of freed ones, which they go back to: the first touch of
// fresh pages costs many times what a dispatch does.
using Block = std::unique_ptr<double, GiveBack>;
Block take_block(std::size_t size);

// An array over a block, read-only; the block goes back to the pool when the last view is gone.
py::array block_array(Block block, const std::vector<std::size_t>& shape);

}  // namespace bess::border
