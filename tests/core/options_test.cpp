#include "support/errors.h"

#include <mlaan/core/options.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

struct SampleOptions {
  static constexpr const char* section = "sample";
  bool flag = true;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string name = "linear";
  TextList rows;

  void describe(FieldList& fields) {
    fields.add("flag", flag, "a flag");
    fields.add("count", count, "a count", at_least(1));
    fields.add("rate", rate, "a rate", between(0, 1));
    fields.add("name", name, "a name", one_of({"linear", "cosine"}));
    fields.add("rows", rows, "rows");
  }
};

TEST(Options, ValuesAreSetThroughTheirKeys) {
  OptionSet options;
  auto& sample = options.get<SampleOptions>();
  options.field("sample.flag").assign_text("false");
  options.field("sample.count").assign_text("7");
  options.field("sample.rate").assign_text("1e-3");
  options.field("sample.name").assign_text("\"cosine\"");
  options.field("sample.rows").assign_text("[\"a b\", \"c\"]");
  EXPECT_FALSE(sample.flag);
  EXPECT_EQ(sample.count, 7);
  EXPECT_DOUBLE_EQ(sample.rate, 1e-3);
  EXPECT_EQ(sample.name, "cosine");
  EXPECT_EQ(sample.rows, (TextList{"a b", "c"}));
}

TEST(Options, AWholeNumberIsTakenForARealOne) {
  OptionSet options;
  options.get<SampleOptions>();
  options.field("sample.rate").assign(std::int64_t{1});
  EXPECT_DOUBLE_EQ(options.get<SampleOptions>().rate, 1);
}

TEST(Options, RefusalsNameKeyValueAndWhatIsAccepted) {
  OptionSet options;
  options.get<SampleOptions>();
  const auto refuse = [&](const std::string& key, const std::string& value,
                          const std::string& expected) {
    expect_user_error([&] { options.field(key).assign_text(value); }, {key, value, expected});
  };
  refuse("sample.flag", "yes", "true or false");
  refuse("sample.count", "0", "at least 1");
  refuse("sample.count", "2.5", "integer");
  refuse("sample.rate", "1.5", "from 0 to 1");
  refuse("sample.rate", "nan", "number");
  refuse("sample.name", "linaer", "one of linear, cosine");
  EXPECT_EQ(options.get<SampleOptions>().count, 3);
}

TEST(Options, UnknownKeysAreRefusedWithTheNearestKnown) {
  OptionSet options;
  options.get<SampleOptions>();
  expect_user_error([&] { options.field("sample.coutn"); }, {"sample.coutn", "sample.count"});
}

TEST(Options, ASetHasOneOfEachStruct) {
  OptionSet options;
  options.get<SampleOptions>().count = 9;
  EXPECT_EQ(options.get<SampleOptions>().count, 9);
  EXPECT_EQ(options.fields().size(), 5U);
}

TEST(Options, PrintedValuesAreToml) {
  EXPECT_EQ(to_toml(OptionValue(2.0)), "2.0");
  EXPECT_EQ(to_toml(OptionValue(1e-4)), "1e-04");
  EXPECT_EQ(to_toml(OptionValue(std::string("a \"b\" \\"))), "\"a \\\"b\\\" \\\\\"");
  EXPECT_EQ(to_toml(OptionValue(TextList{"x", "y"})), "[\"x\", \"y\"]");
}

}  // namespace
}  // namespace mlaan::testing
