#include "core/byte_text.h"

#include "io/json_text.h"
#include "support/errors.h"

#include <mlaan/core/options.h>
#include <mlaan/core/random.h>
#include <mlaan/train/options.h>
#include <mlaan/train/settings.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Names that file systems take.
std::vector<std::string> names() {
  std::vector<std::string> names{"plain",
                                 "caf\xE9",
                                 "caf\xC3\xA9",
                                 "a\rb\nc\td\x1B[31m\x7F",
                                 "quotes \" ' and \\ # = [x]",
                                 "\xEF\x9F\xA9 stands for a byte",
                                 "\xEF\x9E\x80",
                                 "\xEF\x9E",
                                 "\xED\xA0\x80 is a surrogate",
                                 "\xC0\xAF is overlong",
                                 "\xF4\x90\x80\x80",
                                 "\xF0\x9F\x98\x80",
                                 "\\udce9",
                                 "\xC2\x85 is a control character",
                                 ""};
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  names.push_back(all);
  RandomStream random(1);
  for (int i = 0; i < 300; ++i) {
    std::string name;
    for (std::uint64_t k = random.below(12); k > 0; --k) {
      constexpr const char* often = "\xEF\x9E\x9F\xA9\xC3\\u\"\xED\xF0";
      name +=
          random.below(2) == 0 ? often[random.below(10)] : static_cast<char>(1 + random.below(255));
    }
    names.push_back(name);
  }
  return names;
}

TEST(ByteText, IsUtf8AndComesBack) {
  for (const auto& name : names()) {
    const std::string text = utf8_of(name);
    EXPECT_EQ(bytes_of(text), name);
    EXPECT_EQ(utf8_of(bytes_of(text)), text);
    EXPECT_NO_THROW(nlohmann::json(text).dump()) << "no UTF-8: " << printable(name);
  }
  EXPECT_EQ(utf8_of("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(utf8_of("caf\xE9"), "caf\xEF\x9F\xA9");
}

TEST(ByteText, PrintsOnOneLineWithoutControlCharacters) {
  EXPECT_EQ(printable("a\rb\nc\td\x1B[31m"), "a\\rb\\nc\\td\\x1b[31m");
  EXPECT_EQ(printable("caf\xE9 caf\xC3\xA9 \xC2\x85"), "caf\\xe9 caf\xC3\xA9 \\xc2\\x85");
}

TEST(ByteText, SurvivesJson) {
  for (const auto& name : names()) {
    for (const int indent : {-1, 2}) {
      const nlohmann::ordered_json document{{name, {name, 1, nullptr}}};
      const auto read = parse_json(json_text(document, indent));
      ASSERT_TRUE(read.contains(name)) << printable(name);
      EXPECT_EQ(read[name][0], name);
    }
  }
  EXPECT_EQ(json_text("caf\xE9"), R"("caf\udce9")") << "as Python's surrogateescape";
  EXPECT_EQ(parse_json(R"("\ud83d\ude00 \\udce9")"), "\xF0\x9F\x98\x80 \\udce9");
}

TEST(ByteText, AmbiguousJsonIsRefused) {
  expect_user_error([] { parse_json(R"({"a":1,"b":{"a":2},"a":3})"); }, {"'a' twice"});
  EXPECT_EQ(parse_json(R"({"b":{"a":2},"a":[{"a":1},{"a":2}]})")["a"][1]["a"], 2);
  expect_user_error([] { parse_json(std::string(100000, '[')); }, {"nested"});
}

TEST(ByteText, SurvivesSettings) {
  for (const auto& name : names()) {
    const Settings written =
        read_settings("data = " + to_toml(name), "a test").with("output", "x", "--from \n" + name);
    const Settings read = read_settings(written.to_toml(), "config.toml");
    EXPECT_EQ(read.get<RunOptions>().data, name);
  }
}

}  // namespace
}  // namespace mlaan::testing
