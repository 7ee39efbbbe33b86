#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"

#include <mlaan/core/random.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

Settings measured_run(const std::vector<std::string>& more = {}) {
  return configured(
      {"model=resnet8", "batch_size=2", "procedural.train_size=8", "procedural.test_size=4"}, more);
}

TEST(MeasuredSettings, ContiguousHasToBeClearlyFaster) {
  EXPECT_EQ(faster_memory_format(1.0, 2.0), "channels_last");
  EXPECT_EQ(faster_memory_format(1.0, 1.0), "channels_last");
  EXPECT_EQ(faster_memory_format(1.04, 1.0), "channels_last");
  EXPECT_EQ(faster_memory_format(1.06, 1.0), "contiguous");
}

TEST(MeasuredSettings, AnAutomaticFormatIsSettledOnceAndSaysByWhat) {
  const Settings asked = measured_run();
  EXPECT_EQ(asked.get<ExecutionOptions>().memory_format, "auto") << "the default";
  EXPECT_EQ(memory_format(asked), torch::MemoryFormat::ChannelsLast);
  EXPECT_EQ(measured_memory_format(asked), "");
  const DataSource data = make_data(asked);
  const Settings settled = with_faster_memory_format(asked, data);
  EXPECT_EQ(asked.get<ExecutionOptions>().memory_format, "auto");
  const std::string format = settled.get<ExecutionOptions>().memory_format;
  EXPECT_TRUE(format == "channels_last" || format == "contiguous") << format;
  const std::string origin = settled.origin("engine.memory_format");
  EXPECT_EQ(origin.rfind("measured: channels_last ", 0), 0u) << origin;
  EXPECT_EQ(measured_memory_format(settled),
            "engine.memory_format = " + format + " (" + origin + ")");
  EXPECT_NE(settled.to_toml().find("memory_format = \"" + format + "\"  # measured"),
            std::string::npos);
  EXPECT_EQ(with_faster_memory_format(settled, data).origin("engine.memory_format"), origin)
      << "nothing is left to settle";

  const Settings resumed =
      with_faster_memory_format(read_settings(settled.to_toml(), "checkpoint"), data);
  EXPECT_EQ(resumed.origin("engine.memory_format"), "checkpoint") << "nor for a run that goes on";
  EXPECT_EQ(resumed.get<ExecutionOptions>().memory_format, format);
}

TEST(MeasuredSettings, AFormatThatIsGivenStays) {
  for (const std::string format : {"channels_last", "contiguous"}) {
    const Settings asked = measured_run({"engine.memory_format=" + format});
    const Settings settled = with_faster_memory_format(asked, make_data(asked));
    EXPECT_EQ(measured_memory_format(settled), "");
    EXPECT_EQ(settled.get<ExecutionOptions>().memory_format, format);
  }
}

TEST(MeasuredSettings, MeasuringLeavesGeneratorAndMemoryAsTheyWere) {
  const Settings config = measured_run({"engine.precision=bfloat16", "engine.memory_format=auto"});
  const DataSource data = make_data(config);
  torch::manual_seed(5);
  const auto state = default_generator_state(torch::kCPU).clone();
  const auto live = measure::read_memory(torch::kCPU).live;
  try {
    measured_settings(config, data);
  } catch (const UserError&) {
    // Whether it pays is the processor's business.
  }
  expect_same(default_generator_state(torch::kCPU), state, "the generator");
  EXPECT_EQ(measure::read_memory(torch::kCPU).live, live);
}

TEST(MeasuredSettings, APrecisionThatIsSlowerIsRefusedWithItsTimes) {
  EXPECT_NO_THROW(refuse_slower_precision(1.0, 0.5));
  EXPECT_NO_THROW(refuse_slower_precision(1.0, 1.04));
  expect_user_error([] { refuse_slower_precision(0.0125, 0.025); },
                    {"engine.precision", "bfloat16", "12.50 ms", "25.00 ms", "float32",
                     "engine.check_precision"});
}

TEST(MeasuredSettings, APrecisionIsCheckedOnlyWhereAskedAndOnce) {
  const Settings config = measured_run();
  const DataSource data = make_data(config);
  EXPECT_TRUE(with_precision_checked(config, data).get<ExecutionOptions>().check_precision)
      << "float32 needs no check";

  const Settings unchecked =
      measured_run({"engine.precision=bfloat16", "engine.check_precision=false"});
  EXPECT_EQ(with_precision_checked(unchecked, data).origin("engine.check_precision"), "--set");

  try {
    const Settings checked =
        with_precision_checked(measured_run({"engine.precision=bfloat16"}), data);
    EXPECT_FALSE(checked.get<ExecutionOptions>().check_precision);
    EXPECT_NE(checked.origin("engine.check_precision").find("measured: float32 "),
              std::string::npos);
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("would be slower"), std::string::npos);
  }
}

TEST(MeasuredSettings, APrecisionThatTheDeviceLacksIsRefusedBeforeAnythingIsMeasured) {
  const Settings config = measured_run({"engine.precision=float16"});
  const DataSource data = make_data(config);
  expect_user_error([&] { with_faster_memory_format(config, data); },
                    {"engine.precision", "float16"});
  expect_user_error([&] { make_engine_options(config); }, {"engine.precision", "float16"});
}

}  // namespace
}  // namespace mlaan::testing
