// The registry of training methods: the one place that knows all their names.
#include <mlaan/local/method.h>
#include <mlaan/local/methods/auglocal.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/infopro.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/man.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/local/methods/predsim.h>

namespace mlaan {

const Registry<MethodEntry>& method_registry() {
  using namespace methods;
  static const Registry<MethodEntry> registry(
      "method", {e2e_entry(), checkpoint_entry(), greedy_entry(), dgl_entry(), predsim_entry(),
                 infopro_entry(), auglocal_entry(), man_entry(), mlm_entry(), lam_entry(),
                 mlaan_entry(), mlaan_lean_entry()});
  return registry;
}

const Registry<AdditionEntry>& addition_registry() {
  using namespace methods;
  static const Registry<AdditionEntry> registry("addition",
                                                {mlm_addition(), lam_addition(), man_addition()});
  return registry;
}

std::string default_method() {
  return methods::mlaan_entry().name;
}

std::string reference_method() {
  return methods::e2e_entry().name;
}

}  // namespace mlaan
