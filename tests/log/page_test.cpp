// The parts that reports are made of.
#include "io/png_file.h"
#include "log/chart.h"
#include "log/markup.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_page.h>
#include <mlaan/log/run_page.h>
#include <mlaan/train/paired_test.h>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

namespace mlaan::testing {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++count;
  return count;
}

TEST(Markup, TextOfAnyBytesIsEscaped) {
  EXPECT_EQ(escaped_markup("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  EXPECT_EQ(escaped_markup("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1"),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1");
  EXPECT_EQ(escaped_markup("caf\xe9!"), "caf\xef\xbf\xbd!");
  EXPECT_EQ(escaped_markup("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped_markup(std::string("a\x01") + "b\x7f"), "a b ");
}

TEST(Markup, NumbersAreAlignedToTheRight) {
  const std::string table = html_table({"name"}, {{"-1.5"}, {"12 %"}, {"<x>"}});
  EXPECT_EQ(count_of(table, "class=\"number\""), 2U);
  EXPECT_EQ(count_of(table, "<td>&lt;x&gt;</td>"), 1U);
}

TEST(Base64, IsThatOfRfc4648) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"\xff\xfe\xfd", "//79"}}) {
    EXPECT_EQ(base64(bytes), text);
  }
}

TEST(LineChart, LeavesOutWhatIsNoNumberAndHasEachName) {
  LineChart chart{"Losses",
                  "step",
                  "loss",
                  {{"first 1..1", {{1, 2}, {2, none}, {3, 1}}},
                   {"empty", {{1, none}}},
                   {"a<b", {{1, 1.5}, {2, 1.25}}}}};
  const std::string svg = line_chart(chart);
  EXPECT_EQ(count_of(svg, "<polyline"), 2U);
  EXPECT_EQ(count_of(svg, "<title>first 1..1</title>"), 1U);
  EXPECT_EQ(count_of(svg, "a&lt;b"), 2U);  // of the line, and in the legend
  EXPECT_EQ(count_of(svg, "nan"), 0U);
  EXPECT_EQ(count_of(svg, "empty"), 0U);
  EXPECT_EQ(line_chart({"none", "x", "y", {{"empty", {}}}}), "");
}

TEST(LineChart, ManyLongLinesAreThinnedOut) {
  LineChart chart{"many", "x", "y", {}};
  for (int line = 0; line < 100; ++line) {
    ChartLine points{"line " + std::to_string(line), {}};
    for (int i = 0; i < 5000; ++i) points.points.emplace_back(i, line);
    chart.lines.push_back(points);
  }
  const std::string svg = line_chart(chart);
  EXPECT_EQ(count_of(svg, "<polyline"), 100U);
  EXPECT_LT(svg.size(), 600000U);
}

TEST(ColumnChart, StacksItsParts) {
  const std::string svg =
      column_chart({"Time", "module", "ms", {"forward", "backward"}, {{1, 2}, {3, 0}}});
  EXPECT_EQ(count_of(svg, "<rect"), 3U);
  EXPECT_EQ(count_of(svg, "<title>2, forward: 3</title>"), 1U);
}

TEST(StudentT, BoundsAreThoseOfTables) {
  EXPECT_NEAR(student_t_bound(0.05, 1), 12.7062, 1e-4);
  EXPECT_NEAR(student_t_bound(0.05, 2), 4.30265, 1e-5);
  EXPECT_NEAR(student_t_bound(0.05, 30), 2.04227, 1e-5);
  EXPECT_NEAR(student_t_bound(0.01, 4), 4.60409, 1e-5);
}

TEST(SeedIntervals, AreStudents) {
  // Three seeds: 24, 25, 26 have the mean 25 and the deviation 1.
  const SeedInterval interval = interval_of_mean(25, 1, 3);
  EXPECT_NEAR(interval.highest - interval.mean, 4.30265 / std::sqrt(3), 1e-5);
  EXPECT_NEAR(interval.mean - interval.lowest, 4.30265 / std::sqrt(3), 1e-5);
  EXPECT_TRUE(std::isnan(interval_of_mean(25, none, 1).lowest));
}

TEST(RunRecord, ReadsLogsAsTheyAreLeft) {
  const TemporaryFolder folder;
  std::ofstream(folder / "metrics.csv") << "epoch,step,train_error,validation_error\n"
                                        << "1,5,50,\n2,10,40,45\n3,1";
  std::ofstream(folder / "steps.jsonl")
      << R"({"step":5,"losses":{"local 1..1":2.5,"output 2..2":2.25}})"
      << "\n"
      << R"({"step":10,"losses":{"local 1..1":null,"output 2..2":2}})"
      << "\n"
      << R"({"step":10,"losses":[1,2]})"
      << "\n"
      << R"({"step":12,"los)";
  const RunRecord record = read_run_record(folder.path());
  const auto errors = record.curve("validation_error", "validation").points;
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_TRUE(std::isnan(errors[0].second));
  EXPECT_EQ(errors[1].second, 45);
  ASSERT_EQ(record.losses.size(), 2U);
  EXPECT_EQ(record.losses[0].name, "local 1..1");
  EXPECT_EQ(record.losses[0].points.size(), 1U);
  EXPECT_EQ(record.losses[1].points.size(), 2U);
  EXPECT_TRUE(read_run_record(folder / "nothing").losses.empty());
  std::filesystem::create_directories(folder / "twice");
  write_text(folder / "twice/metrics.csv", "epoch,train_error,train_error\n1,50,60\n2,40,50\n");
  EXPECT_TRUE(read_run_record(folder / "twice").curve("train_error", "").points.empty());
}

TEST(ComparisonStory, RefusesWhatIsNone) {
  const TemporaryFolder folder;
  expect_user_error([&] { read_comparison_story(folder.path()); }, {"comparison.json"});
  std::ofstream(folder / "comparison.json") << "{}";
  expect_user_error([&] { read_comparison_story(folder.path()); }, {"mlaan compare"});
}

}  // namespace
}  // namespace mlaan::testing
