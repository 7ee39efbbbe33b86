// Counts multiply-adds.
#include "core/defined_work.h"

#include <mlaan/measure/cost.h>

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>

namespace mlaan::measure {
namespace {

struct Totals {
  std::atomic<std::int64_t> defined{0};
  std::atomic<std::int64_t> executed{0};
  std::atomic<int> stand_ins{0};  ///< number of open DefinedWork scopes

  void add(std::int64_t multiply_adds) {
    executed += multiply_adds;
    if (stand_ins == 0) defined += multiply_adds;
  }
};

/// LibTorch calls observers through plain function pointers, so they can only count into a global
/// variable.
Totals& totals() {
  static Totals totals;
  return totals;
}

/// Multiply-adds per output element of a convolution, or per input element of a transposed one.
std::int64_t kernel_size(const at::Tensor& weight) {
  return weight.size(0) == 0 ? 0 : weight.numel() / weight.size(0);
}

/// Carries a convolution's kernel size from on_start() to on_end(), where the output is known.
struct ConvolutionContext : at::ObserverContext {
  std::int64_t kernel = 0;
};

/// Exists while other code runs in place of an operator (see DefinedWork).
struct StandInContext : at::ObserverContext {
  explicit StandInContext(std::int64_t defined) {
    if (totals().stand_ins++ == 0) totals().defined += defined;
  }
  StandInContext(const StandInContext&) = delete;
  StandInContext& operator=(const StandInContext&) = delete;
  ~StandInContext() override { --totals().stand_ins; }
};

using Inputs = c10::ArrayRef<const c10::IValue>;

bool is_tensor(const Inputs& inputs, std::size_t position) {
  return inputs.size() > position && inputs[position].isTensor() &&
         inputs[position].toTensor().defined();
}

std::int64_t matrix_product(const Inputs& inputs, std::size_t first) {
  if (!is_tensor(inputs, first) || !is_tensor(inputs, first + 1)) return 0;
  const auto left = inputs[first].toTensor();
  return left.numel() * inputs[first + 1].toTensor().size(-1);
}

std::int64_t convolution_backward(const Inputs& inputs) {
  // (grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed,
  //  output_padding, groups, output_mask)
  if (inputs.size() < 11 || !is_tensor(inputs, 0) || !is_tensor(inputs, 2)) return 0;
  const bool transposed = inputs[7].toBool();
  const auto applied_from = inputs[transposed ? 1 : 0].toTensor();
  const auto mask = inputs[10].toBoolList();
  const std::int64_t products = (mask[0] ? 1 : 0) + (mask[1] ? 1 : 0);
  return products * applied_from.numel() * kernel_size(inputs[2].toTensor());
}

/// All queries by all keys: (batch, heads, queries, width) × (batch, heads, keys, width).
std::int64_t attention_product(const Inputs& inputs, std::size_t query) {
  if (!is_tensor(inputs, query) || !is_tensor(inputs, query + 1)) return 0;
  return inputs[query].toTensor().numel() * inputs[query + 1].toTensor().size(-2);
}

bool begins_with(const char* text, const char* beginning) {
  return std::strncmp(text, beginning, std::strlen(beginning)) == 0;
}

/// Whether this is one of LibTorch's fused attention kernels, which exist under several names from
/// 2.1 on. Their fallback (…_attention_math) consists of products that are counted by themselves.
bool is_fused_attention(const char* name) {
  return begins_with(name, "aten::_scaled_dot_product_") &&
         std::strstr(name, "attention_math") == nullptr;
}

/// Forward (query, key, value, …): the scores, and their product with the values. Backward
/// (gradient, query, key, value, …): the scores recomputed, and four products.
std::int64_t fused_attention(const char* name, const Inputs& inputs) {
  const bool backward = std::strstr(name, "_backward") != nullptr;
  const std::size_t query = backward ? 1 : 0;
  return (backward ? 5 : 2) * attention_product(inputs, query);
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  const char* name = function.name();
  const auto inputs = function.inputs();
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
  std::int64_t products = 0;
  if (is(DefinedWork::name)) return std::make_unique<StandInContext>(inputs.at(0).toInt());
  if (is("aten::convolution")) {
    if (!is_tensor(inputs, 0) || !is_tensor(inputs, 1)) return nullptr;
    const std::int64_t kernel = kernel_size(inputs[1].toTensor());
    const bool transposed = inputs.size() > 6 && inputs[6].isBool() && inputs[6].toBool();
    if (!transposed) {
      auto context = std::make_unique<ConvolutionContext>();
      context->kernel = kernel;
      return context;
    }
    products = inputs[0].toTensor().numel() * kernel;
  } else if (is("aten::convolution_backward")) {
    products = convolution_backward(inputs);
  } else if (is("aten::mm") || is("aten::bmm")) {
    products = matrix_product(inputs, 0);
  } else if (is("aten::addmm") || is("aten::baddbmm") || is("aten::addbmm")) {
    products = matrix_product(inputs, 1);
  } else if (is_fused_attention(name)) {
    products = fused_attention(name, inputs);
  }
  totals().add(products);
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* convolution = dynamic_cast<ConvolutionContext*>(context);
  if (convolution == nullptr || function.outputs().empty()) return;
  const auto& output = function.outputs()[0];
  if (output.isTensor()) totals().add(output.toTensor().numel() * convolution->kernel);
}

}  // namespace

MultiplyAddCounter::MultiplyAddCounter()
    : callback_(at::addGlobalCallback(at::RecordFunctionCallback(&on_start, &on_end)
                                          .needsInputs(true)
                                          .needsOutputs(true)
                                          .scopes({at::RecordScope::FUNCTION}))),
      start_(totals().defined),
      executed_start_(totals().executed) {}

MultiplyAddCounter::~MultiplyAddCounter() {
  at::removeCallback(callback_);
}

std::int64_t MultiplyAddCounter::count() const {
  return totals().defined - start_;
}

std::int64_t MultiplyAddCounter::executed() const {
  return totals().executed - executed_start_;
}

}  // namespace mlaan::measure
