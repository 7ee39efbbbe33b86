// The 256 values of an 8-bit code (Dettmers et al. 2022, arXiv:2110.02861).
#include "local/eight_bit_table.h"

#include "core/samples_in_parallel.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>

namespace mlaan {
namespace {

constexpr std::int64_t elements_of_a_thread = 4096;

/// Each decade is divided into equal parts, whose midpoints are the entries.
std::vector<float> make_table(Sign sign) {
  constexpr int decades = 7;
  std::vector<float> table{0, 1};
  for (int decade = 0; decade < decades; ++decade) {
    const int parts = sign == Sign::either ? 1 << decade : 2 << decade;
    for (int part = 0; part < parts; ++part) {
      const double middle = 0.1 + 0.9 * (part + 0.5) / parts;
      const auto share = static_cast<float>(middle * std::pow(10, decade - decades + 1));
      table.push_back(share);
      if (sign == Sign::either) table.push_back(-share);
    }
  }
  std::sort(table.begin(), table.end());
  return table;
}

/// Finds the code of a share: a lookup by the float's upper 16 bits, then a few comparisons.
class CodeFinder {
 public:
  explicit CodeFinder(Sign sign) : sign_(sign), first_codes_(upper_halves) {
    const auto& table = eight_bit_table(sign);
    for (std::size_t i = 0; i + 1 < table.size(); ++i) {
      bounds_.push_back((table[i] + table[i + 1]) / 2);
    }
    for (std::uint32_t half = 0; half < upper_halves; ++half) {
      const bool is_negative = (half & 0x8000U) != 0;
      // The lowest float with these upper 16 bits.
      const float lowest = from_bits(half << 16U | (is_negative ? 0xFFFFU : 0U));
      first_codes_[half] = static_cast<std::uint8_t>(
          std::isnan(lowest)
              ? 0
              : std::lower_bound(bounds_.begin(), bounds_.end(), lowest) - bounds_.begin());
    }
  }

  const std::vector<float>& bounds() const { return bounds_; }

  std::uint8_t operator()(float share) const {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &share, sizeof bits);
    std::uint8_t code = first_codes_[bits >> 16U];
    while (code < bounds_.size() && bounds_[code] < share) ++code;
    if (sign_ == Sign::not_negative && code == 0 && share > 0) return 1;
    return code;
  }

 private:
  static constexpr std::size_t upper_halves = 1U << 16U;

  static float from_bits(std::uint32_t bits) {
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    return number;
  }

  Sign sign_;
  std::vector<float> bounds_;  ///< half-way between neighbours of the table
  std::vector<std::uint8_t> first_codes_;
};

const CodeFinder& code_finder(Sign sign) {
  static const CodeFinder of_either(Sign::either);
  static const CodeFinder of_not_negative(Sign::not_negative);
  return sign == Sign::either ? of_either : of_not_negative;
}

torch::Tensor on_device(const std::vector<float>& values, torch::Device device) {
  return torch::tensor(values, torch::kFloat32).to(device);
}

}  // namespace

const std::vector<float>& eight_bit_table(Sign sign) {
  static const std::vector<float> of_either = make_table(Sign::either);
  static const std::vector<float> of_not_negative = make_table(Sign::not_negative);
  return sign == Sign::either ? of_either : of_not_negative;
}

torch::Tensor nearest_codes(const torch::Tensor& shares, Sign sign) {
  if (!shares.is_cpu()) return nearest_codes_by_operators(shares, sign);
  const torch::Tensor in_order = shares.contiguous();
  const torch::Tensor codes = at::empty(in_order.sizes(), in_order.options().dtype(torch::kUInt8));
  const CodeFinder& find = code_finder(sign);
  const auto* from = in_order.data_ptr<float>();
  auto* to = codes.data_ptr<std::uint8_t>();
  for_samples_in_parallel(in_order.numel(), elements_of_a_thread,
                          [&](std::int64_t, std::int64_t first, std::int64_t count) {
                            std::transform(from + first, from + first + count, to + first,
                                           std::cref(find));
                          });
  return codes;
}

torch::Tensor entries_at(const torch::Tensor& codes, Sign sign) {
  if (!codes.is_cpu()) return entries_by_operators(codes, sign);
  const torch::Tensor in_order = codes.contiguous();
  const torch::Tensor entries =
      at::empty(in_order.sizes(), in_order.options().dtype(torch::kFloat32));
  const auto* table = eight_bit_table(sign).data();
  const auto* from = in_order.data_ptr<std::uint8_t>();
  auto* to = entries.data_ptr<float>();
  for_samples_in_parallel(in_order.numel(), elements_of_a_thread,
                          [=](std::int64_t, std::int64_t first, std::int64_t count) {
                            for (std::int64_t i = first; i < first + count; ++i) {
                              to[i] = table[from[i]];
                            }
                          });
  return entries;
}

torch::Tensor nearest_codes_by_operators(const torch::Tensor& shares, Sign sign) {
  torch::Tensor codes =
      at::bucketize(shares.contiguous(), on_device(code_finder(sign).bounds(), shares.device()),
                    /*out_int32=*/true);
  if (sign == Sign::not_negative) codes = at::maximum(codes, (shares > 0).to(torch::kInt32));
  return codes.to(torch::kUInt8);
}

torch::Tensor entries_by_operators(const torch::Tensor& codes, Sign sign) {
  return on_device(eight_bit_table(sign), codes.device())
      .index_select(0, codes.flatten().to(torch::kInt32))
      .view(codes.sizes());
}

}  // namespace mlaan
