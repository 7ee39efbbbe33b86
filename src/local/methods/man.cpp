// MAN: momentum auxiliary network (Su et al. 2024, ECCV, arXiv:2407.05623).
#include <mlaan/local/methods/man.h>

namespace mlaan {

void ManOptions::describe(FieldList& fields) {
  fields.add("ema_momentum", ema_momentum,
             "momentum m of the moving average of the next unit's parameters", between(0, 1));
}

namespace methods {

void add_man(LocalMethod& method, const Backbone& backbone, const ManOptions& options) {
  method.host.trunk = [backbone, options](const NetPlace& place) -> LayerTexts {
    if (place.unit + 1 >= backbone.size()) {
      throw UserError("man needs a following unit, but after module " +
                      std::to_string(place.module + 1) + " its block would come after '" +
                      backbone.units()[place.unit].name() + "', the last unit of " +
                      backbone.name() + "; man and lam cannot be combined");
    }
    return {"fresh " + backbone.units()[place.unit + 1].name() + " twin " +
            to_toml(options.ema_momentum)};
  };
}

Plan man(const Backbone& backbone, const Partition& partition, const ManOptions& options,
         const InfoproOptions& host, std::uint64_t seed) {
  LocalMethod method{partition, infopro_host(backbone, partition, host), {}, {}};
  add_man(method, backbone, options);
  return make_plan(method, backbone, seed);
}

AdditionEntry man_addition() {
  return {"man", "a moving average of the next unit and a learnable bias before its nets",
          [](OptionSet& options) { options.get<ManOptions>(); },
          [](LocalMethod& method, const Backbone& backbone, const OptionSet& options) {
            add_man(method, backbone, options.get<ManOptions>());
          }};
}

MethodEntry man_entry() {
  return composed_entry("man",
                        "InfoPro after a moving average of the next unit and a learnable bias",
                        infopro_entry(), {man_addition()});
}

}  // namespace methods
}  // namespace mlaan
