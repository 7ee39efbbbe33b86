// The registry of the kinds of losses.
#include "core/term_words.h"

#include <mlaan/core/options.h>
#include <mlaan/nn/loss_kind.h>

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
  return number == usual ? name : to_text({name, {to_toml(number)}, {}});
}

LossPtr parse_loss(const std::string& text, std::int64_t classes,
                   const Normalisation& normalisation) {
  TermWords words(text, "loss");
  const LossKind& kind = loss_kinds().at(words.name());
  const std::string meaning = kind.number ? kind.number->meaning : "number";
  const LossSettings settings{words.next_number_if_any(meaning), classes, normalisation};
  words.finish();
  if (settings.number && !kind.number) words.fail(kind.name + " takes no number");
  if (settings.number && !kind.number->accepts(*settings.number)) {
    words.fail(meaning + " must be " + kind.number->accepted);
  }
  return kind.make(settings);
}

}  // namespace mlaan
