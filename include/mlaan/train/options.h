// Every option of a training run, and its default.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/quantity.h>
#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// The options that have a flag of their own; keys of the top level of a configuration file.
struct RunOptions {
  static constexpr const char* section = "";
  std::string dataset = "procedural";
  std::string data;
  std::string model = "resnet20";
  std::string weights;
  std::string weights_head = "load";
  double drop_path = -1;
  std::string method = default_method();
  std::int64_t modules = 0;
  std::string partition = "default";
  std::int64_t epochs = 5;
  std::int64_t batch_size = 64;
  double lr = 0.1;
  std::int64_t seed = 0;
  std::string device = "cpu";
  std::int64_t train_limit = 0;
  std::int64_t workers = 1;
  std::int64_t threads = 0;
  std::string memory;
  std::string output;
  std::string baseline;

  void describe(FieldList& fields);
};

struct OptimizerOptions {
  static constexpr const char* section = "optimizer";
  std::string type = "sgd";
  double momentum = 0.9;
  bool nesterov = true;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = -1;
  bool decay_norms = true;
  double layer_decay = 1;
  double clip_grad = 0;
  std::string state = "float32";
  double net_lr = 1;

  void describe(FieldList& fields);
};

/// See learning_rate().
struct ScheduleOptions {
  static constexpr const char* section = "schedule";
  std::string type = "cosine";
  double warmup_epochs = -1;
  double warmup_lr = 0.01;
  std::string milestones = "0.5,0.75,0.89,0.94";
  double factor = 0.25;
  double min_lr = 0;
  std::string monitor = "loss";
  std::int64_t patience_epochs = 10;
  double threshold = 1e-4;
  std::int64_t cooldown_epochs = 0;
  double peak = 0.3;
  double initial_divisor = 25;
  double final_divisor = 1e4;

  void describe(FieldList& fields);
};

struct AugmentOptions {
  static constexpr const char* section = "augment";
  bool enabled = true;
  std::string crop = "default";
  double smallest_area = 0.08;
  double widest_ratio = 4.0 / 3;
  std::int64_t padding = -1;
  std::string flip = "default";
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  std::int64_t random_augment = 0;
  std::int64_t magnitude = 9;
  double erase = 0;
  std::string erase_with = "zero";
  double mixup = 0;
  double cutmix = 0;
  double mix_probability = 1;
  double mix_switch_probability = 0.5;
  std::int64_t mix_off_epoch = 0;
  double label_smoothing = 0;

  void describe(FieldList& fields);
};

/// What ends a training before its last epoch, and how many images it looks at, beside the settings
/// of the data. 0 and "": nothing does.
struct LimitOptions {
  static constexpr const char* section = "limit";
  std::int64_t steps = 0;
  std::string time;
  std::int64_t train_batches = 0;
  std::int64_t validation_batches = 0;
  std::int64_t test_batches = 0;
  std::int64_t overfit_batches = 0;

  void describe(FieldList& fields);
};

/// Ends a training whose validation error falls no more.
struct EarlyStoppingOptions {
  static constexpr const char* section = "early_stopping";
  std::int64_t patience = 0;
  double min_delta = 0;

  void describe(FieldList& fields);
};

/// See WeightAverage.
struct WeightAverageOptions {
  static constexpr const char* section = "model_ema";
  bool enabled = false;
  double decay = 0.9998;
  bool warmup = true;
  bool use = false;

  void describe(FieldList& fields);
};

/// See TeacherTable.
struct TeacherOptions {
  static constexpr const char* section = "teacher";
  double share = 0;
  double from = 0;
  std::string of = "all";

  void describe(FieldList& fields);
};

struct ValidationOptions {
  static constexpr const char* section = "validation";
  double fraction = 0.1;
  std::string report = "last";
  std::string tta = "none";

  void describe(FieldList& fields);
};

struct ExecutionOptions {
  static constexpr const char* section = "engine";
  bool fused_update = true;
  std::int64_t micro_batches = 1;
  std::string memory_format = "auto";
  std::string recompute = "default";
  std::string precision = "float32";
  bool check_precision = true;
  std::string boundaries = "float32";
  std::string kernels = "own";

  void describe(FieldList& fields);
};

/// See ProcessGroup and Stages.
struct DistOptions {
  static constexpr const char* section = "dist";
  std::int64_t processes = 1;
  std::int64_t stages = 1;
  std::string split = "time";
  std::int64_t twin_delay = 0;
  std::string timeout = "60s";
  std::string bucket = "1MiB";

  void describe(FieldList& fields);
};

struct SaveOptions {
  static constexpr const char* section = "save";
  std::string every = "1e";
  std::int64_t keep = 0;

  void describe(FieldList& fields);
};

struct LogOptions {
  static constexpr const char* section = "log";
  std::int64_t steps = 10;
  bool tensorboard = false;

  void describe(FieldList& fields);
};

/// Asks the set for every struct that a run reads: those above, and those of every registered
/// method and data set.
void declare_all(OptionSet& options);

}  // namespace mlaan
