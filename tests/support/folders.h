// Where tests find what they read and run.
#pragma once

#include <filesystem>
#include <string>

namespace mlaan::testing {

/// Reference files and images for development; may be absent.
std::filesystem::path shared_folder();
/// The folder of the tests' own sources.
std::filesystem::path test_folder();
/// The mlaan program under test.
std::string program();

}  // namespace mlaan::testing
