// Options for how steps are executed and in which processes.
#include "train/readable_by.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/train/options.h>
#include <mlaan/train/stage_split.h>

namespace mlaan {

void ExecutionOptions::describe(FieldList& fields) {
  fields.add("fused_update", fused_update,
             "step each module's optimizer as soon as its gradient is complete");
  fields.add("micro_batches", micro_batches,
             "micro-batches per step, run one after the other (gradient accumulation)",
             count_from(1));
  fields.add("memory_format", memory_format,
             "memory format of maps and convolution weights; auto: measured at the start, "
             "contiguous only where clearly faster",
             one_of({"auto", "channels_last", "contiguous"}));
  fields.add(
      "recompute", recompute,
      "activations to drop and recompute in the backward pass: default, activation where the "
      "network is cut, none for end-to-end training; none; activation: those that layers recompute "
      "cheaply; module: each module as one checkpoint; unit: each unit of modules and auxiliary "
      "nets as one; auto: as little as lowers the peak, or fits it into `memory`",
      one_of({"default", "none", "activation", "module", "unit", "auto"}));
  fields.add("precision", precision,
             "autocast type of forward passes; float16 only on CUDA, with dynamic loss scaling",
             one_of({"float32", "bfloat16", "float16"}));
  fields.add("check_precision", check_precision,
             "measure at the start whether bfloat16 is slower on this CPU, and refuse it if so");
  fields.add("boundaries", boundaries,
             "type of the tensors kept between modules; float32: as the modules output them",
             one_of({"float32", "bfloat16"}));
  fields.add(
      "kernels", kernels,
      "kernels of layers and losses: own, mlaan's where they are faster or save bytes; reference, "
      "LibTorch's operators only, if you distrust ours or your LibTorch is newer than this program",
      one_of({"own", "reference"}));
}

void DistOptions::describe(FieldList& fields) {
  fields.add("processes", processes,
             "processes that train one network, each on its own batches of batch_size; mlaan "
             "starts them on this machine unless torchrun, srun or mpirun did",
             between(1, 65536));
  fields.add("stages", stages,
             "pipeline stages that the modules are divided among, one process each; at present 1, "
             "or as many as processes",
             between(1, 65536));
  fields.add("split", split,
             "where stages begin: time, balanced by step times measured at the start; bytes, "
             "balanced by parameters and activations; or by hand, the first modules of the second "
             "and further stages, for example 6,11",
             readable_by(parse_stage_split,
                         "time, bytes, or numbers of modules from 2 on, "
                         "ascending, separated by commas"));
  fields.add("twin_delay", twin_delay,
             "steps by which twins (leap layers' moving averages) lag behind their units, in one "
             "process too; stages with twins then need not wait for later stages",
             between(0, 64));
  fields.add("timeout", timeout, "time after which a process stops waiting for others: 60s, 5m",
             readable_by(
                 [](const std::string& text) {
                   if (parse_duration(text) < 1) throw UserError("too short");
                 },
                 "a time of at least 1s: 60s, 5m"));
  fields.add(
      "bucket", bucket,
      "gradients of modules and nets smaller than this are exchanged between processes together",
      readable_by(parse_bytes, "a number of bytes and its unit: 1MiB, 500KiB"));
  fields.add("sync_batch_norm", sync_batch_norm,
             "normalise by the statistics of all processes' images instead of each process's own; "
             "with stages every process has all images anyway");
  fields.add(
      "gather_losses", gather_losses,
      "let losses that compare samples with each other (similarity matching, contrastive) see "
      "the images of all processes instead of each process's own");
}

}  // namespace mlaan
