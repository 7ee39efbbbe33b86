// The Python of the system, whose packages some tests compare with.
#pragma once

#include <cstdlib>
#include <string>

namespace mlaan::testing {

constexpr const char* python = "/usr/bin/python3";

/// Whether statements without single quotes, such as an import, run without an error.
inline bool python_runs(const std::string& statements) {
  const std::string command = std::string(python) + " -c '" + statements + "' 2>/dev/null";
  return std::system(command.c_str()) == 0;
}

}  // namespace mlaan::testing
