// What the methods whose nets are plain classifiers share: the options of a head, and the host.
#include "local/methods/head_fields.h"

namespace mlaan {

void describe_head(FieldList& fields, std::string& head, std::int64_t& feature_dim, double& widen) {
  const Accepts head_type{[](const OptionValue& value) {
                            const auto* name = std::get_if<std::string>(&value);
                            return name != nullptr && is_head_type(*name);
                          },
                          "linear, or XcYf with one digit each, for example 1c2f"};
  fields.add("head", head, "auxiliary head: linear, or XcYf for X convolutions and Y linear layers",
             head_type);
  fields.add("feature_dim", feature_dim, "width of the hidden linear layers of an XcYf head",
             at_least(1));
  fields.add("widen", widen, "factor on the widths of an XcYf head", above(0));
}

namespace methods {

Host classifier_host(const HeadOptions& options) {
  return {[options](const Shape& features, std::int64_t classes) {
            return make_head(options, features, classes);
          },
          cross_entropy()};
}

}  // namespace methods
}  // namespace mlaan
