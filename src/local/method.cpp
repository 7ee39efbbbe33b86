// The registry of training methods: the one place that knows all their names.
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/methods/mlm.h>

namespace mlaan {

const Registry<MethodEntry>& method_registry() {
  static const Registry<MethodEntry> registry(
      "method", {methods::e2e_entry(), methods::checkpoint_entry(), methods::greedy_entry(),
                 methods::dgl_entry(), methods::mlm_entry(), methods::lam_entry(),
                 methods::mlaan_entry(), methods::mlaan_lean_entry()});
  return registry;
}

std::string reference_method() {
  return methods::e2e_entry().name;
}

}  // namespace mlaan
