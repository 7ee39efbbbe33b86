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
             "parts that a step cuts its batch into, one after the other (gradient accumulation)",
             count_from(1));
  fields.add("memory_format", memory_format,
             "layout of maps and of convolutions' weights; auto: measured at the start, contiguous "
             "only where clearly faster",
             one_of({"auto", "channels_last", "contiguous"}));
  fields.add(
      "recompute", recompute,
      "activations to drop and compute again when gradients need them: default, activation where "
      "the network is cut, none for end-to-end training; none; activation: what layers recompute "
      "cheaply by themselves; module: each module's, in one piece; unit: those "
      "within each unit of modules and auxiliary nets; auto: whatever lowers the peak, or makes it "
      "fit into `memory`, and no more",
      one_of({"default", "none", "activation", "module", "unit", "auto"}));
  fields.add("precision", precision,
             "type that forward passes compute in, by autocast; float16 on CUDA alone, with a loss "
             "scale that adapts itself",
             one_of({"float32", "bfloat16", "float16"}));
  fields.add("check_precision", check_precision,
             "measure at the start whether bfloat16 is slower on this CPU, and refuse it then");
  fields.add("boundaries", boundaries,
             "type of the tensors kept between modules; float32: as the modules give them",
             one_of({"float32", "bfloat16"}));
  fields.add("kernels", kernels,
             "what layers and losses compute by: own, kernels of mlaan's where they are faster or "
             "save bytes; reference, LibTorch's own operators alone, if you distrust ours or your "
             "LibTorch is newer than this program",
             one_of({"own", "reference"}));
}

void DistOptions::describe(FieldList& fields) {
  fields.add("processes", processes,
             "processes that train one network, each on batches of batch_size of its own; mlaan "
             "starts them on this machine, unless torchrun, srun or mpirun have",
             between(1, 65536));
  fields.add("stages", stages,
             "stages that the network's modules are on, each a process, which work on one batch "
             "after the other; at present 1, or as many as processes",
             between(1, 65536));
  fields.add("split", split,
             "where stages begin: time, measured at the start, so that they take equally long; "
             "bytes, of parameters and activations; or by hand, the numbers of the modules that "
             "the second and further stages begin with, for example 6,11",
             readable_by(parse_stage_split,
                         "time, bytes, or numbers of modules from 2 on, "
                         "ascending, separated by commas"));
  fields.add("twin_delay", twin_delay,
             "steps that twins (leap layers' moving averages) follow their units late, in one "
             "process as well; in stages those with twins then need not wait for later stages",
             between(0, 64));
  fields.add("timeout", timeout,
             "time after which a process that waits for others gives them up: 60s, 5m",
             readable_by(
                 [](const std::string& text) {
                   if (parse_duration(text) < 1) throw UserError("too short");
                 },
                 "a time of at least 1s: 60s, 5m"));
  fields.add("bucket", bucket,
             "gradients of modules and nets that are smaller than this travel between processes "
             "together",
             readable_by(parse_bytes, "a number of bytes and its unit: 1MiB, 500KiB"));
}

}  // namespace mlaan
