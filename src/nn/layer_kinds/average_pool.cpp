// Average pooling over squares of a map, or over neighbouring patches of tokens.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/average_pool.h>

namespace mlaan::layers {
namespace {

void add_token_pool(const TermWords& words, LayerBuilder& net, std::int64_t rows,
                    std::int64_t columns) {
  const TokenLayout layout = net.token_layout();
  if (layout.rows % rows != 0 || layout.columns % columns != 0) {
    words.fail("pooling by " + size_text(rows, columns) +
               " needs tokens whose rows and columns it divides; it was given " +
               std::to_string(layout.rows) + "×" + std::to_string(layout.columns));
  }
  const TokenLayout pooled{layout.rows / rows, layout.columns / columns, layout.prefix,
                           layout.class_token};
  net.add_plain<TokenAveragePool>("pool", {pooled.count(), net.width()},
                                  [&] { return TokenAveragePool(layout, rows, columns); });
}

void add_average_pool(TermWords& words, LayerBuilder& net) {
  // No structured binding: clang 14 does not let a lambda capture one.
  const auto size = words.next_size("size of the pooled squares");
  const std::int64_t rows = size.first;
  const std::int64_t columns = size.second;
  const bool floors = words.has("floor");
  if (net.is_tokens()) {
    add_token_pool(words, net, rows, columns);
    return;
  }
  need_map(words, net);
  const Shape& map = net.features();
  if (floors && (rows > map[1] || columns > map[2])) {
    words.fail("maps of " + to_string(map) + " are smaller than that");
  }
  if (!floors && (map[1] % rows != 0 || map[2] % columns != 0)) {
    words.fail("pooling by " + size_text(rows, columns) +
               " needs maps whose sides it divides; it was given " + to_string(map));
  }
  net.add_plain<AveragePool>("pool", {map[0], map[1] / rows, map[2] / columns},
                             [&] { return AveragePool(rows, columns); });
}

}  // namespace

LayerKind average_pool() {
  return {"average_pool", "average_pool 2x2 [floor]",
          "average pooling over windows of this size, which must divide the map's sides; floor: "
          "the remainder is dropped",
          add_average_pool};
}

}  // namespace mlaan::layers
