// The Python whose packages some tests compare with.
#pragma once

#include <cstdlib>
#include <string>

namespace mlaan::testing {

/// What MLAAN_TEST_PYTHON names, or the system's.
inline std::string python_program() {
  const char* chosen = std::getenv("MLAAN_TEST_PYTHON");
  return chosen != nullptr ? chosen : "/usr/bin/python3";
}

inline const std::string python = python_program();

/// Whether statements without single quotes, such as an import, run without an error.
inline bool python_runs(const std::string& statements) {
  const std::string command = python + " -c '" + statements + "' 2>/dev/null";
  return std::system(command.c_str()) == 0;
}

}  // namespace mlaan::testing
