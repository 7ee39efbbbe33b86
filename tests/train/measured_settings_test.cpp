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

Config measured_run(const std::vector<std::string>& more = {}) {
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
  Config config = measured_run();
  EXPECT_EQ(config.get<ExecutionOptions>().memory_format, "auto") << "the default";
  EXPECT_EQ(memory_format(config), torch::MemoryFormat::ChannelsLast);
  const DataSource data = make_data(config);
  const std::string settled = settle_memory_format(config, data);
  const std::string format = config.get<ExecutionOptions>().memory_format;
  EXPECT_TRUE(format == "channels_last" || format == "contiguous") << format;
  EXPECT_NE(settled.find("engine.memory_format = " + format), std::string::npos) << settled;
  EXPECT_NE(config.origin("engine.memory_format").find("measured: channels_last "),
            std::string::npos);
  EXPECT_NE(config.to_toml().find("memory_format = \"" + format + "\"  # measured"),
            std::string::npos);
  EXPECT_EQ(settle_memory_format(config, data), "") << "nothing is left to settle";

  Config resumed;
  resumed.apply_text(config.to_toml(), "checkpoint");
  EXPECT_EQ(settle_memory_format(resumed, data), "") << "nor for a run that goes on";
  EXPECT_EQ(resumed.get<ExecutionOptions>().memory_format, format);
}

TEST(MeasuredSettings, AFormatThatIsGivenStays) {
  for (const std::string format : {"channels_last", "contiguous"}) {
    Config config = measured_run({"engine.memory_format=" + format});
    EXPECT_EQ(settle_memory_format(config, make_data(config)), "");
    EXPECT_EQ(config.get<ExecutionOptions>().memory_format, format);
  }
}

TEST(MeasuredSettings, MeasuringLeavesGeneratorAndMemoryAsTheyWere) {
  Config config = measured_run({"engine.precision=bfloat16", "engine.memory_format=auto"});
  const DataSource data = make_data(config);
  torch::manual_seed(5);
  const auto state = default_generator_state(torch::kCPU).clone();
  const auto live = measure::read_memory(torch::kCPU).live;
  settle_memory_format(config, data);
  try {
    check_precision_pays(config, data);
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
  Config config = measured_run();
  const DataSource data = make_data(config);
  check_precision_pays(config, data);
  EXPECT_TRUE(config.get<ExecutionOptions>().check_precision) << "float32 needs no check";

  Config unchecked = measured_run({"engine.precision=bfloat16", "engine.check_precision=false"});
  EXPECT_NO_THROW(check_precision_pays(unchecked, data));
  EXPECT_EQ(unchecked.origin("engine.check_precision"), "--set");

  Config checked = measured_run({"engine.precision=bfloat16"});
  try {
    check_precision_pays(checked, data);
    EXPECT_FALSE(checked.get<ExecutionOptions>().check_precision);
    EXPECT_NE(checked.origin("engine.check_precision").find("measured: float32 "),
              std::string::npos);
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("would be slower"), std::string::npos);
  }
}

TEST(MeasuredSettings, APrecisionThatTheDeviceLacksIsRefusedBeforeAnythingIsMeasured) {
  Config config = measured_run({"engine.precision=float16"});
  const DataSource data = make_data(config);
  expect_user_error([&] { settle_memory_format(config, data); }, {"engine.precision", "float16"});
  expect_user_error([&] { make_engine_options(config); }, {"engine.precision", "float16"});
}

}  // namespace
}  // namespace mlaan::testing
