#include "log/label_placement.h"
#include "log/plot_scale.h"
#include "support/errors.h"

#include <mlaan/log/benchmark_report.h>
#include <mlaan/log/scatter_plot.h>

#include <gtest/gtest.h>

#include <random>
#include <regex>

namespace mlaan::testing {
namespace {

struct Marker {
  double x = 0;
  double y = 0;
  std::string note;
};

std::vector<Marker> markers(const std::string& svg) {
  static const std::regex circle(
      "<circle cx=\"([0-9.]+)\" cy=\"([0-9.]+)\" r=\"[0-9.]+\"><title>([^<]*)</title></circle>");
  std::vector<Marker> found;
  for (std::sregex_iterator match(svg.begin(), svg.end(), circle), end; match != end; ++match) {
    found.push_back({std::stod((*match)[1]), std::stod((*match)[2]), (*match)[3]});
  }
  return found;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
  return number;
}

/// Expects that every element is closed in order, that attributes are quoted, and that no
/// ampersand stands for itself.
void expect_well_formed(const std::string& svg) {
  static const std::regex tag("<(/?)([a-z]+)((?: [a-zA-Z0-9-]+=\"[^\"<&]*\")*)(/?)>");
  std::vector<std::string> open;
  std::string rest;
  std::size_t at = 0;
  for (std::sregex_iterator match(svg.begin(), svg.end(), tag), end; match != end; ++match) {
    rest += svg.substr(at, static_cast<std::size_t>(match->position()) - at);
    at = static_cast<std::size_t>(match->position() + match->length());
    if ((*match)[1].length() > 0) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), (*match)[2]);
      open.pop_back();
    } else if ((*match)[4].length() == 0) {
      open.push_back((*match)[2]);
    }
  }
  rest += svg.substr(at);
  EXPECT_TRUE(open.empty()) << open.back();
  EXPECT_EQ(rest.find_first_of("<>"), std::string::npos) << rest;
  static const std::regex entity("&(amp|lt|gt|quot|apos);");
  EXPECT_EQ(std::regex_replace(rest, entity, "").find('&'), std::string::npos) << rest;
}

ScatterPlot some_plot() {
  ScatterPlot plot;
  plot.title = "a plot";
  plot.subtitle = "of some points";
  plot.x = {"bytes, ratio", true, 1};
  plot.y = {"time, s", false, std::nan("")};
  plot.series = {{{{0.05, 3, "first", ""}, {0.2, 1, "second", "more"}, {0.8, 2, "third", ""}},
                  {{0, 2}, {2, 1, 0}}},
                 {{{1, 1.5, "alone", ""}}, {}}};
  return plot;
}

TEST(ScatterPlot, EveryPointHasItsMarkerAndItsLabel) {
  const std::string svg = some_plot().to_svg();
  expect_well_formed(svg);
  EXPECT_EQ(svg.compare(0, 5, "<svg "), 0);
  for (const char* text : {"a plot", "of some points", "bytes, ratio", "time, s", "first", "second",
                           "third", "alone"}) {
    EXPECT_GE(count(svg, ">" + std::string(text) + "</"), 1U) << text;
  }
  const auto drawn = markers(svg);
  ASSERT_EQ(drawn.size(), 4U);
  EXPECT_EQ(drawn[0].note, "first");
  EXPECT_EQ(drawn[1].note, "more");
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_EQ(count(svg, "stroke-dasharray"), 1U) << "one axis has a reference";
  EXPECT_EQ(count(svg, "<script"), 0U);
}

TEST(ScatterPlot, SeriesOfOneColourHaveDifferentMarkers) {
  ScatterPlot plot = some_plot();
  plot.series.resize(1);
  for (int i = 1; i < 10; ++i) plot.series.push_back({{{0.1 * i, 1.0, "point", ""}}, {}});
  const std::string svg = plot.to_svg();
  expect_well_formed(svg);
  EXPECT_EQ(markers(svg).size(), 10U) << "3 of the first series, 1 of each of the next 7";
  EXPECT_EQ(count(svg, "<rect"), 2U) << "the ninth and the tenth";
}

TEST(ScatterPlot, PositionsGrowWithTheValues) {
  ScatterPlot plot = some_plot();
  plot.series = {PlotSeries()};
  const std::vector<double> values{0.01, 0.1, 1, 2, 10};
  for (const double value : values) plot.series[0].points.push_back({value, value, "p", ""});
  const auto drawn = markers(plot.to_svg());
  ASSERT_EQ(drawn.size(), values.size());
  for (std::size_t i = 1; i < drawn.size(); ++i) {
    EXPECT_GT(drawn[i].x, drawn[i - 1].x);
    EXPECT_LT(drawn[i].y, drawn[i - 1].y) << "upwards";
  }
  EXPECT_NEAR(drawn[1].x - drawn[0].x, drawn[2].x - drawn[1].x, 0.2) << "decades are equally wide";
  EXPECT_NEAR((drawn[2].y - drawn[3].y) * 8, drawn[3].y - drawn[4].y, 1) << "linear";
}

TEST(ScatterPlot, SpecialCharactersAreEscaped) {
  ScatterPlot plot = some_plot();
  plot.title = "<a> & \"b\"";
  plot.series[0].points[0].label = "lam.rows=[\"x<y\", 'z']\n&amp;";
  const std::string svg = plot.to_svg();
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, ">&lt;a&gt; &amp; &quot;b&quot;</"), 2U);
  EXPECT_EQ(count(svg, "lam.rows=[&quot;x&lt;y&quot;, &apos;z&apos;] &amp;amp;</text>"), 1U);
}

TEST(ScatterPlot, WhatCannotBeShownIsRefused) {
  const auto refuse = [](const ScatterPlot& plot, const std::vector<std::string>& parts) {
    expect_user_error([&] { plot.to_svg(); }, parts);
  };
  ScatterPlot plot = some_plot();
  plot.series[1].points[0].x = 0;
  refuse(plot, {"'alone'", "bytes, ratio = 0", "above 0"});
  plot.series[1].points[0].x = std::nan("");
  refuse(plot, {"'alone'", "finite"});
  plot.series[1].points[0] = {1, -2, "below", ""};
  EXPECT_NO_THROW(plot.to_svg()) << "a linear axis";
  plot.series = {PlotSeries()};
  refuse(plot, {"one point"});
}

TEST(ScatterPlot, LabelsDoNotCoverOneAnotherNorMarkers) {
  std::vector<LabelledPoint> points;
  constexpr double height = 13;
  constexpr double marker = 5;
  for (int i = 0; i < 12; ++i) {
    points.push_back({{400.0 + 7 * (i % 4), 300.0 + 6 * (i % 3)}, 60.0 + 5 * (i % 5)});
  }
  const Box bounds{0, 0, 800, 600};
  const auto labels = place_labels(points, height, marker, {}, bounds);
  ASSERT_EQ(labels.size(), points.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_NEAR(labels[i].right - labels[i].left, points[i].width, 1e-9);
    EXPECT_DOUBLE_EQ(overlap(labels[i], bounds), points[i].width * height) << "within the picture";
    for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(overlap(labels[i], labels[j]), 0);
    for (const auto& point : points) {
      const Position at = point.position;
      EXPECT_EQ(overlap(labels[i], {at.x - marker, at.y - marker, at.x + marker, at.y + marker}),
                0);
    }
  }
}

TEST(ScatterPlot, LabelsBesideTheirPointCannotBeTakenForAnothers) {
  std::mt19937 random(7);
  for (int crowd = 0; crowd < 50; ++crowd) {
    std::vector<LabelledPoint> points;
    for (int i = 0; i < 6; ++i) {
      const auto x = static_cast<double>(250 + random() % 300);
      const auto y = static_cast<double>(250 + random() % 100);
      points.push_back({{x, y}, 70});
    }
    const auto labels = place_labels(points, 13, 5, {}, {0, 0, 800, 600});
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double own = gap(labels[i], points[i].position);
      if (own > beside) continue;
      for (std::size_t j = 0; j < points.size(); ++j) {
        if (j == i) continue;
        EXPECT_GT(gap(labels[i], points[j].position), own) << crowd << ": " << i << ", " << j;
      }
    }
  }
  EXPECT_DOUBLE_EQ(gap({0, 0, 2, 2}, {5, 6}), 5);
  EXPECT_DOUBLE_EQ(gap({0, 0, 2, 2}, {1, 1}), 0);
}

TEST(PlotScale, TicksAreRoundAndWithin) {
  for (const bool logarithmic : {false, true}) {
    for (const double highest : {1.02, 1.3, 5.0, 40.0, 3000.0}) {
      const PlotScale scale(1, highest, logarithmic, 0, 100);
      const auto ticks = scale.ticks();
      EXPECT_GE(ticks.size(), 3U) << highest;
      EXPECT_LE(ticks.size(), 12U) << highest;
      for (const double tick : ticks) {
        EXPECT_GE(scale.position(tick), 0);
        EXPECT_LE(scale.position(tick), 100);
      }
    }
  }
  EXPECT_EQ(PlotScale(0.01, 10, true, 0, 1).ticks(), (std::vector<double>{0.01, 0.1, 1, 10}));
}

BenchmarkResult result(const std::string& spec, double time, double peak) {
  BenchmarkResult result;
  result.spec = MethodSpec::parse(spec);
  result.model = "resnet32";
  result.device = "cpu";
  result.batch = 128;
  result.reference = "e2e";
  result.time_ratio = time;
  result.peak_ratio = peak;
  return result;
}

TEST(BenchmarkPlot, JoinsTheSettingsOfAMethod) {
  const auto plot = benchmark_plot({result("e2e", 1, 1), result("mlm", 1.2, 0.4),
                                    result("checkpoint:checkpoint.segments=2", 1.1, 0.6),
                                    result("mlm:engine.recompute=unit", 1.8, 0.3),
                                    result("checkpoint:checkpoint.segments=4", 1.3, 0.4),
                                    result("mlm:modules=4", 1.2, 0.5),
                                    result("mlm:engine.recompute=module", 1.7, 0.3)});
  ASSERT_EQ(plot.series.size(), 3U);
  const auto labels = [&](std::size_t s) {
    std::vector<std::string> texts;
    for (const auto& point : plot.series[s].points) texts.push_back(point.label);
    return texts;
  };
  EXPECT_EQ(labels(0), (std::vector<std::string>{"e2e"}));
  EXPECT_EQ(labels(1),
            (std::vector<std::string>{"mlm", "recompute=unit", "modules=4", "recompute=module"}));
  EXPECT_EQ(labels(2), (std::vector<std::string>{"checkpoint segments=2", "segments=4"}));
  using Curves = std::vector<std::vector<std::size_t>>;
  EXPECT_TRUE(plot.series[0].curves.empty());
  EXPECT_EQ(plot.series[1].curves, (Curves{{0, 1, 3}, {0, 2}}));
  EXPECT_EQ(plot.series[2].curves, (Curves{{0, 1}}));
  EXPECT_DOUBLE_EQ(plot.series[2].points[1].x, 0.4);
  EXPECT_DOUBLE_EQ(plot.series[2].points[1].y, 1.3);
  EXPECT_NE(plot.title.find("resnet32, batch 128"), std::string::npos);
  EXPECT_NE(plot.subtitle.find("LibTorch "), std::string::npos);
  EXPECT_NE(plot.subtitle.find("; e2e: "), std::string::npos) << plot.subtitle;
  EXPECT_NE(plot.x.title.find("ratio to e2e"), std::string::npos) << plot.x.title;
  const std::string svg = plot.to_svg();
  expect_well_formed(svg);
  for (const char* spec : {"e2e", "mlm", "checkpoint:checkpoint.segments=2",
                           "mlm:engine.recompute=unit", "checkpoint:checkpoint.segments=4"}) {
    EXPECT_EQ(count(svg, "<title>" + std::string(spec) + ": "), 1U) << spec;
  }
}

}  // namespace
}  // namespace mlaan::testing
