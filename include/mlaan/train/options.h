// Every option of a training run, and its default.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/quantity.h>
#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// Options that have a flag of their own: the keys at the top level of a configuration file. Here
/// and below, describe() gives every field's meaning, as `mlaan info config` prints it.
struct RunOptions {
  static constexpr const char* section = "";
  std::string dataset = "procedural";     ///< see `mlaan info datasets`
  std::string data;                       ///< folder with the data set's files
  std::string model = "resnet20";         ///< backbone, or a TorchScript file NAME.pt
  std::string weights;                    ///< safetensors file to start from; "": random
  std::string weights_head = "load";      ///< "load" or "fresh": the head of that file
  double drop_path = -1;                  ///< of the last block; −1: as the model is published
  std::string method = default_method();  ///< name, or a plan file NAME.toml
  std::int64_t modules = 0;               ///< 0: as the method asks, else one block a module
  std::string partition = "default";      ///< where to cut: a kind, or names of units
  std::int64_t epochs = 5;                ///< passes over the training images
  std::int64_t batch_size = 64;           ///< images a step of each process
  double lr = 0.1;                        ///< highest learning rate
  std::int64_t seed = 0;                  ///< of weights, split, order, augmentation, dropout
  std::string device = "cpu";             ///< "cpu", "cuda" or "cuda:N"
  std::int64_t train_limit = 0;           ///< most training images; 0: all
  std::int64_t workers = 1;               ///< threads that prepare batches; 0: the training thread
  std::int64_t threads = 0;               ///< of LibTorch; 0: one for each processor
  std::string memory;                     ///< bytes for training: "6GiB"; "": no limit
  std::string output;                     ///< folder of the run; "": runs/DATASET-MODEL-METHOD
  std::string baseline;                   ///< method to train as well; "": none

  void describe(FieldList& fields);
};

struct OptimizerOptions {
  static constexpr const char* section = "optimizer";
  std::string type = "sgd";       ///< "sgd", "adam", "adamw" or "lamb"
  double momentum = 0.9;          ///< of sgd
  bool nesterov = true;           ///< of sgd
  double beta1 = 0.9;             ///< of Adam: decay of the mean of gradients
  double beta2 = 0.999;           ///< of Adam: decay of the mean of squared gradients
  double epsilon = 1e-8;          ///< of Adam: added to the root of the mean square
  double weight_decay = -1;       ///< −1: 1e-4 for sgd, 0 adam, 0.05 adamw, 0.01 lamb
  bool decay_norms = true;        ///< whether biases and normalisations decay too
  double layer_decay = 1;         ///< factor on the learning rate from a unit to the one before it
  double clip_grad = 0;           ///< highest gradient norm of a module or net; 0: any
  std::string state = "float32";  ///< of the moments: "float32" or "8bit"
  double net_lr = 1;              ///< factor on the learning rate of auxiliary nets

  void describe(FieldList& fields);
};

/// See learning_rate().
struct ScheduleOptions {
  static constexpr const char* section = "schedule";
  std::string type = "cosine";                    ///< "cosine", "epoch", … of learning_rate()
  double warmup_epochs = -1;                      ///< −1: a sixteenth of the epochs, at most 10
  double warmup_lr = 0.01;                        ///< rate that the warm-up begins with
  std::string milestones = "0.5,0.75,0.89,0.94";  ///< "steps": shares of the training
  double factor = 0.25;                           ///< "steps", "plateau": factor on the rate
  double min_lr = 0;                              ///< lowest rate of "cosine", "epoch", "plateau"
  std::string monitor = "loss";                   ///< "plateau": "loss" or "error"
  std::int64_t patience_epochs = 10;              ///< "plateau": see after_epoch()
  double threshold = 1e-4;                        ///< "plateau": relative improvement
  std::int64_t cooldown_epochs = 0;               ///< "plateau": epochs that do not count
  double peak = 0.3;                              ///< "onecycle": share of rising steps
  double initial_divisor = 25;                    ///< "onecycle": lr / first rate
  double final_divisor = 1e4;                     ///< "onecycle": first rate / last rate

  void describe(FieldList& fields);
};

struct AugmentOptions {
  static constexpr const char* section = "augment";
  bool enabled = true;            ///< false: none of this
  std::string crop = "default";   ///< "default", "resized", "padded" or "none"
  double smallest_area = 0.08;    ///< of a resized crop, as a share of the picture's
  double widest_ratio = 4.0 / 3;  ///< of a resized crop: most width / height
  std::int64_t padding = -1;      ///< pixels; −1: as is usual for the data set
  std::string flip = "default";   ///< "default", "on" or "off"
  double brightness = 0;          ///< these four: see ColourJitter
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  std::int64_t random_augment = 0;      ///< RandAugment: operations an image; 0: none
  std::int64_t magnitude = 9;           ///< RandAugment: from 0 to highest_magnitude
  double erase = 0;                     ///< probability of random erasing
  std::string erase_with = "zero";      ///< "zero" or "noise"
  double mixup = 0;                     ///< α; 0: no mixup
  double cutmix = 0;                    ///< α; 0: no CutMix
  double mix_probability = 1;           ///< share of the batches that are mixed
  double mix_switch_probability = 0.5;  ///< see MixRecipe
  std::int64_t mix_off_epoch = 0;       ///< epochs after which mixing ends; 0: never
  double label_smoothing = 0;           ///< share of the target spread over all classes

  void describe(FieldList& fields);
};

/// Limits on the length of a training, and on the images that it uses. 0 and "": no limit.
struct LimitOptions {
  static constexpr const char* section = "limit";
  std::int64_t steps = 0;          ///< optimizer steps
  std::string time;                ///< of this process: "90s", "1h30m"
  std::int64_t train_batches = 0;  ///< in an epoch
  std::int64_t validation_batches = 0;
  std::int64_t test_batches = 0;
  std::int64_t overfit_batches = 0;  ///< to train and validate on

  void describe(FieldList& fields);
};

/// Ends a training whose validation error no longer falls.
struct EarlyStoppingOptions {
  static constexpr const char* section = "early_stopping";
  std::int64_t patience = 0;  ///< epochs without a lower error; 0: never stop
  double min_delta = 0;       ///< percentage points by which an error must be lower

  void describe(FieldList& fields);
};

/// See WeightAverage.
struct WeightAverageOptions {
  static constexpr const char* section = "model_ema";
  bool enabled = false;
  double decay = 0.9998;  ///< share of the average that a step keeps
  bool warmup = true;     ///< let the decay grow from 0
  bool use = false;       ///< test, analyse and predict with the average

  void describe(FieldList& fields);
};

/// See TeacherTable.
struct TeacherOptions {
  static constexpr const char* section = "teacher";
  double share = 0;        ///< of the labels, at the end of the training; 0: off
  double from = 0;         ///< share of the training after which it grows from 0
  std::string of = "all";  ///< "all" or "nets": whose labels are mixed

  void describe(FieldList& fields);
};

struct ValidationOptions {
  static constexpr const char* section = "validation";
  double fraction = 0.1;        ///< of the training images, held out
  std::string report = "last";  ///< "last" or "best": the weights to test
  std::string tta = "none";     ///< "none" or "flip", see at_test_time()

  void describe(FieldList& fields);
};

struct ExecutionOptions {
  static constexpr const char* section = "engine";
  bool fused_update = true;            ///< step each part as soon as its gradient is complete
  std::int64_t micro_batches = 1;      ///< parts of a batch (gradient accumulation)
  std::string memory_format = "auto";  ///< "auto", "channels_last" or "contiguous"
  std::string recompute = "default";   ///< what backward passes recompute, e.g. "unit"
  std::string precision = "float32";   ///< "float32", "bfloat16" or "float16", by autocast
  bool check_precision = true;         ///< refuse bfloat16 if it is slower
  std::string boundaries = "float32";  ///< type of tensors between modules
  std::string kernels = "own";         ///< "own", or "reference": LibTorch's alone

  void describe(FieldList& fields);
};

/// See ProcessGroup and Stages.
struct DistOptions {
  static constexpr const char* section = "dist";
  std::int64_t processes = 1;    ///< that train one network
  std::int64_t stages = 1;       ///< 1, or as many as processes
  std::string split = "time";    ///< "time", "bytes", or first modules: "6,11"
  std::int64_t twin_delay = 0;   ///< steps that twins follow their units late
  std::string timeout = "60s";   ///< of a process that waits for others
  std::string bucket = "1MiB";   ///< smaller gradients are sent together
  bool sync_batch_norm = false;  ///< batch normalisation sees the images of all processes
  bool gather_losses = false;    ///< losses that compare samples see those of all processes

  void describe(FieldList& fields);
};

struct SaveOptions {
  static constexpr const char* section = "save";
  std::string every = "1e";  ///< "1e" (epochs), "200i" (steps), "10m" (minutes)
  std::int64_t keep = 0;     ///< checkpoints of past epochs to keep

  void describe(FieldList& fields);
};

struct LogOptions {
  static constexpr const char* section = "log";
  std::int64_t steps = 10;   ///< between two lines of steps.jsonl
  bool tensorboard = false;  ///< write event files too

  void describe(FieldList& fields);
};

/// Declares every option struct that a run reads: those above, and those of every registered method
/// and data set.
void declare_all(OptionSet& options);

}  // namespace mlaan
