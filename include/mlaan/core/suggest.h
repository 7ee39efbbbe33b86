// Finds the known name that is nearest to a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// The entry of `known` with the smallest edit distance to `name`, or "" if none is near.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// "unknown method 'mlan'; did you mean 'mlaan'? Known: dgl, e2e, mlaan".
std::string unknown_name(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known);

}  // namespace mlaan
