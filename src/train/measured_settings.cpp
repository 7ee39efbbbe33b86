// Settings that are determined by measuring on the present machine.
#include "core/autocast_scope.h"
#include "measure/timing.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>
#include <mlaan/nn/probe.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace mlaan {
namespace {

constexpr const char* format_key = "engine.memory_format";
/// Prefix of the origin that is recorded for measured settings.
constexpr const char* measured = "measured: ";
constexpr double clear_difference = 1.05;
/// Rounds when several units are measured, and when one is, which is faster.
constexpr int rounds_of_units = 3;
constexpr int rounds_of_one_unit = 9;
constexpr std::size_t units_to_measure = 3;

/// Runs some consecutive units of a backbone of its own on random numbers.
class Comparison {
 public:
  /// \param images size of the training set; the batch is no larger.
  Comparison(const Settings& settings, const Backbone& backbone, std::size_t first,
             std::size_t last, std::int64_t images)
      : device_(parse_device(settings.get<RunOptions>().device)), generator_(device_) {
    units_.assign(backbone.units().begin() + static_cast<std::ptrdiff_t>(first),
                  backbone.units().begin() + static_cast<std::ptrdiff_t>(last) + 1);
    overwrites_input_ = backbone.overwrites_input(first);
    for (const auto& unit : units_) {
      unit.to(device_);
      unit.train(true);
      for (const auto& named : unit.named_parameters()) {
        if (named.tensor.requires_grad()) parameters_.push_back(named.tensor);
      }
    }
    const std::int64_t batch =
        std::min(settings.get<RunOptions>().batch_size, std::max<std::int64_t>(1, images));
    input_ = torch::randn(batch_shape(batch, backbone.input_shape(first)), device_);
  }

  /// Seconds of one forward and one backward pass.
  double seconds(torch::MemoryFormat format, Precision precision) {
    take_on(format);
    wait_for(device_);
    const auto start = Clock::now();
    torch::Tensor value = overwrites_input_ ? input_.clone() : input_;
    {
      const AutocastScope scope(device_, precision);
      for (const auto& unit : units_) value = unit.forward(std::move(value));
    }
    torch::autograd::grad({value}, parameters_, {torch::ones_like(value)},
                          /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
    wait_for(device_);
    return seconds_since(start);
  }

 private:
  void take_on(torch::MemoryFormat format) {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : parameters_) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(format));
    }
    if (input_.dim() == 4) input_ = input_.contiguous(format);
  }

  torch::Device device_;
  DefaultGeneratorGuard generator_;
  std::vector<Unit> units_;
  bool overwrites_input_ = false;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor input_;
};

/// Medians of two measurements taken in turn, so that a drift of the machine's speed affects both.
template <class First, class Second>
std::array<double, 2> medians(int rounds, const First& first, const Second& second) {
  std::array<std::vector<double>, 2> seconds;
  for (int round = -1; round < rounds; ++round) {
    const std::array<double, 2> times{first(), second()};
    if (round < 0) continue;  // the first round is for warming up
    for (std::size_t i = 0; i < times.size(); ++i) seconds.at(i).push_back(times.at(i));
  }
  return {median(seconds[0]), median(seconds[1])};
}

std::string milliseconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f ms", 1000 * seconds);
  return text.data();
}

Backbone backbone_to_measure(const Settings& settings, const DataSource& data) {
  return make_backbone(settings, data);
}

/// The first unit with a convolution after the stem, since most units are like it; else unit 0.
std::size_t convolution_unit(const Backbone& backbone) {
  for (std::size_t i = std::min<std::size_t>(1, backbone.size() - 1); i < backbone.size(); ++i) {
    for (const auto& named : backbone.units()[i].named_parameters()) {
      if (named.tensor.dim() == 4) return i;
    }
  }
  return 0;
}

}  // namespace

std::string faster_memory_format(double channels_last_seconds, double contiguous_seconds) {
  return channels_last_seconds > clear_difference * contiguous_seconds ? "contiguous"
                                                                       : "channels_last";
}

void refuse_slower_precision(double float32_seconds, double bfloat16_seconds) {
  if (bfloat16_seconds <= clear_difference * float32_seconds) return;
  throw UserError(
      "engine.precision = \"bfloat16\" would be slower on this processor: forward and backward "
      "through one unit take " +
      milliseconds_text(bfloat16_seconds) + ", in float32 " + milliseconds_text(float32_seconds) +
      "; accepted: float32, or engine.check_precision = false to save bytes nevertheless");
}

Settings with_faster_memory_format(const Settings& settings, const DataSource& data) {
  if (settings.get<ExecutionOptions>().memory_format != "auto") return settings;
  const Precision precision = parse_precision(settings.get<ExecutionOptions>().precision);
  check_precision(precision, parse_device(settings.get<RunOptions>().device));
  const Backbone backbone = backbone_to_measure(settings, data);
  Comparison comparison(settings, backbone, 0, std::min(units_to_measure, backbone.size()) - 1,
                        data.train->size());
  const auto [channels_last, contiguous] = medians(
      rounds_of_units,
      [&] { return comparison.seconds(torch::MemoryFormat::ChannelsLast, precision); },
      [&] { return comparison.seconds(torch::MemoryFormat::Contiguous, precision); });
  return settings.with(format_key, faster_memory_format(channels_last, contiguous),
                       measured + ("channels_last " + milliseconds_text(channels_last)) +
                           ", contiguous " + milliseconds_text(contiguous));
}

std::string measured_memory_format(const Settings& settings) {
  const std::string origin = settings.origin(format_key);
  if (origin.rfind(measured, 0) != 0) return "";
  return std::string(format_key) + " = " + settings.get<ExecutionOptions>().memory_format + " (" +
         origin + ")";
}

Settings with_precision_checked(const Settings& settings, const DataSource& data) {
  const auto& options = settings.get<ExecutionOptions>();
  const bool asked = options.check_precision && options.precision == "bfloat16";
  if (!asked || !parse_device(settings.get<RunOptions>().device).is_cpu()) return settings;
  const Backbone backbone = backbone_to_measure(settings, data);
  const std::size_t unit = convolution_unit(backbone);
  Comparison comparison(settings, backbone, unit, unit, data.train->size());
  const auto format = memory_format(settings);
  const auto [float32, bfloat16] = medians(
      rounds_of_one_unit, [&] { return comparison.seconds(format, Precision::float32); },
      [&] { return comparison.seconds(format, Precision::bfloat16); });
  refuse_slower_precision(float32, bfloat16);
  return settings.with("engine.check_precision", "false",
                       measured + ("float32 " + milliseconds_text(float32)) + ", bfloat16 " +
                           milliseconds_text(bfloat16));
}

Settings measured_settings(const Settings& settings, const DataSource& data) {
  return with_precision_checked(with_faster_memory_format(settings, data), data);
}

}  // namespace mlaan
