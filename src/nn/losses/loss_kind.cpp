// The kinds of losses that plan files name.
#include "nn/losses/loss_kind.h"

#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>

#include <sstream>

namespace mlaan {
namespace losses {

LossKind cross_entropy();
LossKind reconstruction();
LossKind similarity_matching();
LossKind supervised_contrastive();

}  // namespace losses

const Registry<LossKind>& loss_kinds() {
  static const Registry<LossKind> registry(
      "loss", {losses::cross_entropy(), losses::supervised_contrastive(), losses::reconstruction(),
               losses::similarity_matching()});
  return registry;
}

std::string loss_text(const std::string& name, double number, double usual) {
  return number == usual ? name : name + " " + to_toml(number);
}

LossPtr parse_loss(const std::string& text, std::int64_t classes,
                   const Normalisation& normalisation) {
  std::istringstream words(text);
  std::string name;
  words >> name;
  LossSettings settings{{}, classes, normalisation};
  double number = 0;
  if (words >> number) settings.number = number;
  words.clear();
  std::string rest;
  if (words >> rest) throw UserError("loss '" + text + "' has '" + rest + "' too much");
  const LossKind& kind = loss_kinds().at(name);
  if (settings.number && !kind.number) {
    throw UserError("loss '" + text + "': " + name + " takes no number");
  }
  if (settings.number && !kind.number->accepts(number)) {
    throw UserError("loss '" + text + "': " + kind.number->meaning + " must be " +
                    kind.number->accepted);
  }
  return kind.make(settings);
}

}  // namespace mlaan
