// Finds the known name that a mistyped one most likely meant.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// The entry of `known` with the smallest edit distance to `name`, or "" where none is near.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// "unknown method 'mlan'; did you mean 'mlaan'? Known: dgl, e2e, mlaan".
std::string unknown_name(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known);

}  // namespace mlaan
