// Expectations on the messages of errors.
#pragma once

#include <mlaan/core/error.h>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace mlaan::testing {

/// Expects a UserError whose message has all of `parts` in it.
inline void expect_user_error(const std::function<void()>& action,
                              const std::vector<std::string>& parts) {
  try {
    action();
  } catch (const UserError& error) {
    for (const auto& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "no \"" << part << "\" in: " << error.what();
    }
    return;
  }
  ADD_FAILURE() << "no error, where one was expected about \"" << parts.front() << "\"";
}

}  // namespace mlaan::testing
