// The options of a training run and their defaults.
#include "train/readable_by.h"

#include <mlaan/core/error.h>
#include <mlaan/data/dataset.h>
#include <mlaan/data/random_augment.h>
#include <mlaan/local/method.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/options.h>

namespace mlaan {
namespace {

Accepts period() {
  return readable_by(Period::parse,
                     "a number and its unit: 1e (epochs), 200i (steps) or 10m (minutes)");
}

Accepts duration() {
  return readable_by(
      [](const std::string& text) {
        if (!text.empty()) parse_duration(text);
      },
      "a time: 90s, 30m, 1h30m, 2d or HH:MM:SS");
}

Accepts quantity_of_bytes() {
  return readable_by(
      [](const std::string& text) {
        if (!text.empty()) parse_bytes(text);
      },
      "a number of bytes and its unit: 6GiB, 500MiB, 1.5GB");
}

}  // namespace

namespace {

void describe_network(FieldList& fields, RunOptions& run) {
  fields.add("dataset", run.dataset, "data set to train on; see `mlaan info datasets`");
  fields.add("data", run.data, "folder with the data set's files");
  fields.add("model", run.model,
             "backbone; see `mlaan info models`; or a TorchScript file, NAME.pt");
  fields.add("weights", run.weights,
             "safetensors file with the backbone's weights to start from; empty: random ones");
  fields.add("weights_head", run.weights_head,
             "initial weights of the head: load, from that file; fresh, random, for other classes",
             one_of({"load", "fresh"}));
  fields.add("drop_path", run.drop_path,
             "stochastic depth: probability of dropping the last block's branch for a sample, "
             "falling linearly to 0 at the first block; -1: as published, 0.1 for ConvNeXt, else 0",
             Accepts{[](const OptionValue& value) {
                       const auto* share = std::get_if<double>(&value);
                       return share != nullptr && ((*share >= 0 && *share < 1) || *share == -1);
                     },
                     "at least 0 and below 1, or -1"});
  fields.add(
      "method", run.method,
      "training method, or NAME:key=value with options of its own; see `mlaan info methods`; "
      "auto: the recommended one");
  fields.add("modules", run.modules,
             "number of modules, K; 0: the method's default, else one block per module",
             count_from(0));
  fields.add(
      "partition", run.partition,
      "where to cut the backbone: default, the method's own, else published; published, as in the "
      "papers, else uniform; uniform, equal numbers of units; bytes or multiply-adds, balanced by "
      "these; or names of units to cut after, for example layer1.2,layer2.1");
}

void describe_course(FieldList& fields, RunOptions& run) {
  fields.add("epochs", run.epochs, "passes over the training images", count_from(1));
  fields.add("batch_size", run.batch_size, "images a step", count_from(1));
  fields.add("lr", run.lr, "peak learning rate", above(0));
  fields.add(
      "seed", run.seed,
      "random seed of initial weights, validation split, image order, augmentation and dropout");
  fields.add("device", run.device, "where to train: cpu, cuda or cuda:N");
  fields.add("train_limit", run.train_limit,
             "train on at most this many images, the first after a seeded shuffle; 0: all",
             count_from(0));
  fields.add("workers", run.workers, "threads that prepare batches; 0: the training thread itself",
             between(0, 256));
  fields.add("threads", run.threads, "threads of LibTorch's kernels; 0: one for each processor",
             between(0, 1024));
  fields.add("memory", run.memory,
             "memory limit of training, such as 6GiB: modules, partition, recomputation and "
             "micro-batches are chosen as the fastest that fit; empty: no limit",
             quantity_of_bytes());
  fields.add("output", run.output,
             "folder of the run: settings, logs, checkpoints; empty: runs/DATASET-MODEL-METHOD");
  fields.add("baseline", run.baseline,
             "second method to train on the same data, for the final table; empty: none");
}

}  // namespace

void RunOptions::describe(FieldList& fields) {
  describe_network(fields, *this);
  describe_course(fields, *this);
}

namespace {

Accepts number_where(bool (*accepts)(double), const std::string& accepted) {
  return {[accepts](const OptionValue& value) {
            const auto* number = std::get_if<double>(&value);
            return number != nullptr && accepts(*number);
          },
          accepted};
}

}  // namespace

void OptimizerOptions::describe(FieldList& fields) {
  fields.add("type", type,
             "stochastic gradient descent, Adam, AdamW (decoupled weight decay) or LAMB (for large "
             "batches); the usual lr of all but sgd is about 1e-3",
             one_of({"sgd", "adam", "adamw", "lamb"}));
  fields.add("momentum", momentum, "momentum of stochastic gradient descent", between(0, 1));
  fields.add("nesterov", nesterov, "Nesterov momentum in stochastic gradient descent");
  const auto decay_rate =
      number_where([](double rate) { return rate >= 0 && rate < 1; }, "at least 0, below 1");
  fields.add("beta1", beta1, "decay rate of Adam's running mean of gradients", decay_rate);
  fields.add("beta2", beta2, "decay rate of Adam's running mean of squared gradients", decay_rate);
  fields.add("epsilon", epsilon, "term added to the denominator of Adam's update", above(0));
  fields.add(
      "weight_decay", weight_decay,
      "weight decay coefficient; -1: 1e-4 for sgd, 0 for adam, 0.05 for adamw, 0.01 for lamb",
      number_where([](double factor) { return factor >= 0 || factor == -1; }, "at least 0, or -1"));
  fields.add("decay_norms", decay_norms,
             "apply weight decay to biases and normalisation parameters too, as the papers' code "
             "does; false: only to other weights, as timm does");
  fields.add(
      "layer_decay", layer_decay,
      "layer-wise learning rate decay: factor from each unit to the one before it, starting at 1 "
      "for the head; an auxiliary net has its unit's",
      number_where([](double factor) { return factor > 0 && factor <= 1; }, "above 0, 1 at most"));
  fields.add("clip_grad", clip_grad,
             "maximum gradient norm: of each module and each auxiliary net separately; of all "
             "together where one window spans all modules; 0: no clipping",
             at_least(0));
  fields.add("state", state,
             "storage of the moments of sgd, adam and adamw: float32, or 8bit, rounded to a byte "
             "per value for large weights",
             one_of({"float32", "8bit"}));
  fields.add("net_lr", net_lr,
             "factor on the learning rate of auxiliary nets, not of the backbone's head", above(0));
}

void ScheduleOptions::describe(FieldList& fields) {
  fields.add("type", type,
             "cosine (by step), epoch (cosine by epoch, as in the published code), steps (lowered "
             "at each milestone), plateau (lowered when validation stalls), onecycle (up "
             "to lr, then down) or constant",
             one_of({"cosine", "epoch", "steps", "plateau", "onecycle", "constant"}));
  fields.add(
      "warmup_epochs", warmup_epochs,
      "epochs of linear warm-up, ignored by onecycle; -1: a sixteenth of the epochs, at most 10",
      count_from(-1));
  fields.add("warmup_lr", warmup_lr, "learning rate at the start of the warm-up, at most lr",
             at_least(0));
  fields.add("milestones", milestones,
             "milestones of \"steps\": shares of the training after which the rate is lowered",
             readable_by(parse_milestones, "shares from 0 to 1, separated by commas"));
  fields.add("factor", factor,
             "factor on the rate at each milestone of \"steps\" or each plateau of \"plateau\"",
             between(0, 1));
  fields.add("min_lr", min_lr, "lowest rate of \"cosine\", \"epoch\" and \"plateau\", at most lr",
             at_least(0));
  fields.add("monitor", monitor, "validation measure that \"plateau\" monitors",
             one_of({"loss", "error"}));
  fields.add("patience_epochs", patience_epochs,
             "epochs in a row without improvement that \"plateau\" allows before lowering the rate",
             count_from(0));
  fields.add("threshold", threshold,
             "improvement that \"plateau\" requires, relative to the lowest value so far",
             between(0, 1));
  fields.add("cooldown_epochs", cooldown_epochs,
             "epochs that \"plateau\" does not count after lowering the rate", count_from(0));
  fields.add("peak", peak, "share of the steps in which \"onecycle\" raises the rate",
             between(0, 1));
  fields.add("initial_divisor", initial_divisor,
             "the first step's learning rate of \"onecycle\" is lr divided by this", at_least(1));
  fields.add("final_divisor", final_divisor,
             "the last step's learning rate of \"onecycle\" is the first step's divided by this",
             at_least(1));
}

namespace {

void describe_crops_and_colours(FieldList& fields, AugmentOptions& augment) {
  fields.add("enabled", augment.enabled,
             "augment training images and labels; false: no augmentation");
  fields.add(
      "crop", augment.crop,
      "random crops: resized, of random position, area and aspect ratio, resized to the picture's "
      "size; padded, of the picture's size after padding; none; default: usual for the data set",
      one_of({"default", "resized", "padded", "none"}));
  fields.add("smallest_area", augment.smallest_area,
             "minimum area of a resized crop, as a share of the picture's", between(0.001, 1));
  fields.add("widest_ratio", augment.widest_ratio,
             "maximum aspect ratio of a resized crop, width to height or height to width",
             between(1, 100));
  fields.add("padding", augment.padding,
             "pixels of padding before a padded crop; -1: usual for the data set",
             between(-1, 4096));
  fields.add("flip", augment.flip, "random horizontal flips; default: usual for the data set",
             one_of({"default", "on", "off"}));
  fields.add("brightness", augment.brightness,
             "colour jitter: maximum deviation of the random brightness factor from 1",
             between(0, 1000));
  fields.add("contrast", augment.contrast, "colour jitter: the same for contrast",
             between(0, 1000));
  fields.add("saturation", augment.saturation, "colour jitter: the same for saturation",
             between(0, 1000));
  fields.add("hue", augment.hue,
             "colour jitter: maximum rotation of the hue, as a share of a full turn",
             between(0, 0.5));
}

void describe_strong_augmentation(FieldList& fields, AugmentOptions& augment) {
  fields.add("random_augment", augment.random_augment,
             "RandAugment: random operations applied to each image; 0: none", between(0, 14));
  fields.add("magnitude", augment.magnitude, "RandAugment: strength of the operations",
             between(0, static_cast<double>(highest_magnitude)));
  fields.add("erase", augment.erase, "random erasing: probability of erasing a rectangle",
             between(0, 1));
  fields.add("erase_with", augment.erase_with,
             "what erased rectangles are filled with: zero, the data set's mean colour, or noise",
             one_of({"zero", "noise"}));
  fields.add("mixup", augment.mixup,
             "mixup: alpha of the beta distribution of mixing weights; 0: no mixup",
             between(0, 1000));
  fields.add("cutmix", augment.cutmix, "CutMix: alpha, as for mixup; 0: no CutMix",
             between(0, 1000));
  fields.add("mix_probability", augment.mix_probability,
             "share of the batches that mixup or CutMix is applied to", between(0, 1));
  fields.add("mix_switch_probability", augment.mix_switch_probability,
             "share of the mixed batches that use CutMix where mixup is on too", between(0, 1));
  fields.add("mix_off_epoch", augment.mix_off_epoch,
             "number of epochs after which mixup and CutMix stop; 0: never", count_from(0));
  fields.add("label_smoothing", augment.label_smoothing,
             "label smoothing of the training cross-entropy, in every supervision", between(0, 1));
}

}  // namespace

void AugmentOptions::describe(FieldList& fields) {
  describe_crops_and_colours(fields, *this);
  describe_strong_augmentation(fields, *this);
}

void LimitOptions::describe(FieldList& fields) {
  fields.add("steps", steps,
             "maximum number of optimizer steps; schedule and phases span these or the epochs, "
             "whichever is shorter; 0: no limit",
             count_from(0));
  fields.add("time", time,
             "time after which this process ends the training, validates and tests: 90s, 30m, "
             "1h30m, 2d, or HH:MM:SS; empty: no limit",
             duration());
  fields.add("train_batches", train_batches,
             "train on at most this many batches per epoch, reshuffled every epoch; 0: on all",
             count_from(0));
  fields.add("validation_batches", validation_batches,
             "validate on at most this many batches; 0: on all held-out images", count_from(0));
  fields.add("test_batches", test_batches,
             "test on at most this many batches of images evenly spread over the test set; 0: on "
             "all of it",
             count_from(0));
  fields.add("overfit_batches", overfit_batches,
             "train and validate on this many batches only, to see whether a network can memorise "
             "them; 0: off",
             count_from(0));
}

void EarlyStoppingOptions::describe(FieldList& fields) {
  fields.add("patience", patience,
             "stop the training after this many epochs without a lower validation error; 0: never",
             count_from(0));
  fields.add("min_delta", min_delta,
             "percentage points by which a validation error must fall to count as lower",
             at_least(0));
}

void WeightAverageOptions::describe(FieldList& fields) {
  fields.add("enabled", enabled,
             "keep an exponential moving average of the weights, and validate and test it too");
  fields.add("decay", decay, "decay rate of the average, per step", between(0, 1));
  fields.add("warmup", warmup, "raise the decay to that from 0, as 1 - (1 + step)^(-2/3)");
  fields.add("use", use, "use the average instead of the weights in eval, analyze and predict");
}

void TeacherOptions::describe(FieldList& fields) {
  fields.add("share", share,
             "weight, at the end of training, of the network's own probabilities from the previous "
             "epoch in each image's label; 0: none",
             between(0, 1));
  fields.add("from", from, "share of the training after which that weight begins to grow from 0",
             between(0, 1));
  fields.add("of", of,
             "where these labels are used: all, by auxiliary nets and the network's head; nets, by "
             "auxiliary nets only",
             one_of({"all", "nets"}));
}

void ValidationOptions::describe(FieldList& fields) {
  fields.add("fraction", fraction, "share of the training images to hold out for validation",
             between(0, 0.9));
  fields.add(
      "report", report,
      "weights to test at the end: those of the last epoch, or of the best one on validation",
      one_of({"last", "best"}));
  fields.add("tta", tta,
             "test-time augmentation in eval, predict and a run's final test: flip averages the "
             "logits over each picture and its mirror image",
             one_of({"none", "flip"}));
}

void SaveOptions::describe(FieldList& fields) {
  fields.add("every", every, "how often to write a checkpoint", period());
  fields.add("keep", keep, "checkpoints of past epochs to keep besides the last and the best",
             count_from(0));
}

void LogOptions::describe(FieldList& fields) {
  fields.add("steps", steps, "steps between lines of steps.jsonl", count_from(1));
  fields.add("tensorboard", tensorboard,
             "write TensorBoard event files too, into tensorboard/ in the run's folder");
}

void declare_all(OptionSet& options) {
  options.get<RunOptions>();
  options.get<OptimizerOptions>();
  options.get<ScheduleOptions>();
  options.get<AugmentOptions>();
  options.get<LimitOptions>();
  options.get<EarlyStoppingOptions>();
  options.get<WeightAverageOptions>();
  options.get<TeacherOptions>();
  options.get<ValidationOptions>();
  options.get<ExecutionOptions>();
  options.get<DistOptions>();
  options.get<SaveOptions>();
  options.get<LogOptions>();
  for (const auto& method : method_registry().entries()) method.declare(options);
  for (const auto& dataset : dataset_registry().entries()) dataset.declare(options);
}

}  // namespace mlaan
