// Arguments of the operators of a traced graph, by name.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan::traced_arguments {

const torch::jit::Value* input(const torch::jit::Node& node, const char* name);

/// \throws UserError for an argument that is computed and not a constant.
c10::IValue constant(const torch::jit::Node& node, const char* name);
std::int64_t integer(const torch::jit::Node& node, const char* name);
std::vector<std::int64_t> integers(const torch::jit::Node& node, const char* name);
bool is_none(const torch::jit::Node& node, const char* name);

}  // namespace mlaan::traced_arguments
