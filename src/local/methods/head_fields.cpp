// Shared by methods whose nets are plain classifiers: the options of a head, and the host.
#include "local/methods/head_fields.h"

namespace mlaan {

void describe_head(FieldList& fields, std::string& head, std::int64_t& feature_dim, double& widen,
                   std::string& token) {
  const Accepts head_type{[](const OptionValue& value) {
                            const auto* name = std::get_if<std::string>(&value);
                            return name != nullptr && is_head_type(*name);
                          },
                          known_heads()};
  fields.add("head", head, "layers of the auxiliary net; XcYf: X convolutions and Y linear layers",
             head_type);
  fields.add("feature_dim", feature_dim, "width of the hidden linear layers of an XcYf head",
             count_from(1));
  fields.add("widen", widen, "factor on the widths of an XcYf head", above(0));
  fields.add("token", token,
             "what linear and XcYf heads read from token sequences: the mean, or the class token",
             one_of({"mean", "class"}));
}

namespace methods {

Host classifier_host(const HeadOptions& options) {
  return {{{"classifier",
            [options](const NetPlace& place) {
              return head_layers(options, place.features, place.classes, place.map);
            },
            "cross_entropy", nullptr}},
          nullptr};
}

}  // namespace methods
}  // namespace mlaan
