#include "support/errors.h"

#include <mlaan/core/quantity.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(Quantity, BytesInBinaryMultiples) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1024), "1.00 KiB");
  EXPECT_EQ(format_bytes(76234552), "72.7 MiB");
  EXPECT_EQ(format_bytes(std::int64_t{5} << 40), "5.00 TiB");
}

TEST(Quantity, CountsAndMagnitudes) {
  EXPECT_EQ(format_count(7), "7");
  EXPECT_EQ(format_count(466906), "466,906");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
  EXPECT_EQ(format_magnitude(69.12e6), "69.1 M");
  EXPECT_EQ(format_magnitude(640), "640");
}

TEST(Quantity, Durations) {
  EXPECT_EQ(format_seconds(7.26), "7.26 s");
  EXPECT_EQ(format_seconds(245), "4:05");
  EXPECT_EQ(format_seconds(3723), "1:02:03");
}

TEST(Quantity, PeriodsReadAndPrint) {
  EXPECT_EQ(Period::parse("5e").unit, Period::Unit::epochs);
  EXPECT_EQ(Period::parse("200i").unit, Period::Unit::steps);
  EXPECT_EQ(Period::parse("1.5m").unit, Period::Unit::minutes);
  EXPECT_DOUBLE_EQ(Period::parse("1.5m").count, 1.5);
  EXPECT_EQ(Period::parse("200i").to_string(), "200i");
}

TEST(Quantity, DurationsAreRead) {
  EXPECT_DOUBLE_EQ(parse_duration("90s"), 90);
  EXPECT_DOUBLE_EQ(parse_duration("1.5m"), 90);
  EXPECT_DOUBLE_EQ(parse_duration("1h30m"), 5400);
  EXPECT_DOUBLE_EQ(parse_duration("1h 30m"), 5400);
  EXPECT_DOUBLE_EQ(parse_duration("2d"), 172800);
  EXPECT_DOUBLE_EQ(parse_duration("01:02:03"), 3723);
  EXPECT_DOUBLE_EQ(parse_duration("1:00:00:30"), 86430);
  for (const char* text :
       {"", "90", "0s", "-5m", "1w", "30:00", "1:2:3:4:5", "1:-2:3", "1h 30", "infd", "nans"}) {
    expect_user_error([text] { parse_duration(text); }, {"'" + std::string(text) + "'", "1h30m"});
  }
}

TEST(Quantity, PeriodsWithoutUnitOrAboveNothingAreRefused) {
  for (const char* text : {"5", "e", "", "-1e", "0i", "5 e", "5ee", "nane"}) {
    expect_user_error([text] { Period::parse(text); }, {text, "1e (epochs)"});
  }
}

TEST(Quantity, BytesAreReadWithTheirUnit) {
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("6GiB"), 6LL << 30);
  EXPECT_EQ(parse_bytes("1.5 MiB"), 3 << 19);
  EXPECT_EQ(parse_bytes("2GB"), 2000000000);
  for (const auto* text : {"", "GiB", "6 giga", "-1MiB", "0", "1e30GiB", "nan"}) {
    EXPECT_THROW(parse_bytes(text), UserError) << text;
  }
}

}  // namespace
}  // namespace mlaan::testing
