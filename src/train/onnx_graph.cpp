// Writes traced networks as ONNX models.
#include "train/onnx_graph.h"

#include "train/onnx_values.h"
#include "train/traced_arguments.h"

#include <mlaan/core/error.h>

#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace mlaan {
namespace {

namespace jit = torch::jit;

using namespace traced_arguments;
using Numbers = std::vector<std::int64_t>;

/// Translates the operators of a traced graph into ONNX operators, one after the other.
class OnnxGraph {
 public:
  OnnxGraph(const TracedNetwork& traced, const MultiExitNetwork& network, OnnxModel& model)
      : traced_(traced), network_(network), model_(model), values_(traced, network, model) {}

  void run() {
    const jit::Graph& graph = *traced_.graph;
    for (const jit::Node* node : graph.nodes()) write(*node);
    const jit::Value* result = graph.outputs().at(0);
    const auto outputs = network_.output_names();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const jit::Value* logits = outputs.size() == 1 ? result : result->node()->inputs().at(i);
      model_.add_node("Identity", {values_.name(logits)}, {}, outputs[i]);
      model_.add_output(outputs[i], {network_.backbone.classes()});
    }
  }

 private:
  using Writer = std::string (OnnxGraph::*)(const jit::Node&);

  static std::map<std::string, Writer> writers_of_layers();
  static std::map<std::string, Writer> writers_of_shapes();
  static const std::map<std::string, Writer>& writers();

  void write(const jit::Node& node) {
    const std::string kind = node.kind().toQualString();
    if (kind == "prim::GetAttr") {
      values_.add_attribute(node);
      return;
    }
    // Nodes that compute sizes are translated where their result is used.
    const bool gives_tensor =
        node.outputs().size() == 1 && node.output()->type()->kind() == c10::TypeKind::TensorType;
    if (kind.rfind("prim::", 0) == 0 || kind == "aten::size" || !gives_tensor) return;
    const auto writer = writers().find(kind);
    if (writer == writers().end()) {
      throw UserError("the network's operator " + kind +
                      " is not among those that mlaan writes as ONNX; export it to torchscript");
    }
    values_.add(node.output(), (this->*writer->second)(node));
  }

  std::string tensor(const jit::Node& node, const char* name) {
    return values_.name(input(node, name));
  }

  /// A dimension counted from the front: negative dimensions count from the back.
  std::int64_t dimension(const jit::Node& node, const char* name, const jit::Value* of) const {
    const std::int64_t given = integer(node, name);
    return given < 0 ? given + values_.dimensions(of) : given;
  }

  // Writers of single operators.

  std::string same(const jit::Node& node) { return values_.name(node.inputs().at(0)); }

  std::string dropout(const jit::Node& node) {
    if (constant(node, "train").toBool()) throw UserError("a dropout is in training mode");
    return tensor(node, "input");
  }

  std::string convolution(const jit::Node& node) {
    std::vector<std::string> inputs{tensor(node, "input"), tensor(node, "weight")};
    if (!is_none(node, "bias")) inputs.push_back(tensor(node, "bias"));
    return model_.add_node("Conv", inputs,
                           {{"strides", for_both_sides(integers(node, "stride"))},
                            {"pads", pads_of(node)},
                            {"dilations", for_both_sides(integers(node, "dilation"))},
                            {"group", integer(node, "groups")}});
  }

  std::string batch_norm(const jit::Node& node) {
    if (constant(node, "training").toBool()) throw UserError("a batch norm is in training mode");
    return model_.add_node("BatchNormalization",
                           {tensor(node, "input"), tensor(node, "weight"), tensor(node, "bias"),
                            tensor(node, "running_mean"), tensor(node, "running_var")},
                           {{"epsilon", constant(node, "eps").toDouble()}});
  }

  std::string layer_norm(const jit::Node& node) {
    const auto normalised = static_cast<std::int64_t>(integers(node, "normalized_shape").size());
    return model_.add_node("LayerNormalization",
                           {tensor(node, "input"), tensor(node, "weight"), tensor(node, "bias")},
                           {{"axis", -normalised}, {"epsilon", constant(node, "eps").toDouble()}});
  }

  std::string linear(const jit::Node& node) {
    const bool biased = !is_none(node, "bias");
    if (values_.dimensions(input(node, "input")) == 2 && biased) {
      return model_.add_node("Gemm",
                             {tensor(node, "input"), tensor(node, "weight"), tensor(node, "bias")},
                             {{"transB", std::int64_t{1}}});
    }
    const std::string weight =
        model_.add_node("Transpose", {tensor(node, "weight")}, {{"perm", Numbers{1, 0}}});
    const std::string product = model_.add_node("MatMul", {tensor(node, "input"), weight});
    return biased ? model_.add_node("Add", {product, tensor(node, "bias")}) : product;
  }

  /// bias + left · right: aten::addmm, into which a linear layer may be decomposed.
  std::string biased_product(const jit::Node& node) {
    const auto factor = [&](const char* name) {
      return constant(node, name).toScalar().toDouble();
    };
    return model_.add_node("Gemm",
                           {tensor(node, "mat1"), tensor(node, "mat2"), tensor(node, "self")},
                           {{"alpha", factor("alpha")}, {"beta", factor("beta")}});
  }

  std::string matrix_product(const jit::Node& node) {
    return model_.add_node("MatMul",
                           {values_.name(node.inputs().at(0)), values_.name(node.inputs().at(1))});
  }

  std::string relu(const jit::Node& node) { return model_.add_node("Relu", {same(node)}); }
  std::string leaky_relu(const jit::Node& node) {
    return model_.add_node("LeakyRelu", {same(node)},
                           {{"alpha", constant(node, "negative_slope").toScalar().toDouble()}});
  }
  std::string sigmoid(const jit::Node& node) { return model_.add_node("Sigmoid", {same(node)}); }
  std::string hyperbolic_tangent(const jit::Node& node) {
    return model_.add_node("Tanh", {same(node)});
  }

  /// x/2 · (1 + erf(x/√2)), since the operator set in use has no Gelu operator.
  std::string gelu(const jit::Node& node) {
    if (node.inputs().size() > 1 && constant(node, "approximate").toStringRef() != "none") {
      throw UserError("an approximated GELU has no counterpart in ONNX; export to torchscript");
    }
    const std::string value = same(node);
    const std::string scaled = model_.add_node("Mul", {value, model_.constant(1 / std::sqrt(2.0))});
    const std::string error = model_.add_node("Erf", {scaled});
    const std::string sum = model_.add_node("Add", {error, model_.constant(1.0)});
    const std::string half = model_.add_node("Mul", {value, model_.constant(0.5)});
    return model_.add_node("Mul", {half, sum});
  }

  std::string softmax(const jit::Node& node) {
    return model_.add_node("Softmax", {tensor(node, "self")}, {{"axis", integer(node, "dim")}});
  }

  /// torch's add and sub multiply the second operand by `alpha`.
  std::string sum_of_two(const jit::Node& node, const char* op) {
    std::string second = values_.name(node.inputs().at(1));
    const double factor = constant(node, "alpha").toScalar().toDouble();
    if (factor != 1) second = model_.add_node("Mul", {second, model_.constant(factor)});
    return model_.add_node(op, {values_.name(node.inputs().at(0)), second});
  }
  std::string add(const jit::Node& node) { return sum_of_two(node, "Add"); }
  std::string subtract(const jit::Node& node) { return sum_of_two(node, "Sub"); }

  std::string of_two(const jit::Node& node, const char* op) {
    return model_.add_node(op,
                           {values_.name(node.inputs().at(0)), values_.name(node.inputs().at(1))});
  }
  std::string multiply(const jit::Node& node) { return of_two(node, "Mul"); }
  std::string divide(const jit::Node& node) { return of_two(node, "Div"); }

  std::string sum(const jit::Node& node) {
    return model_.add_node("ReduceSum",
                           {tensor(node, "self"), model_.constant(integers(node, "dim"))},
                           {{"keepdims", std::int64_t{constant(node, "keepdim").toBool()}}});
  }
  std::string mean(const jit::Node& node) {
    return model_.add_node("ReduceMean", {tensor(node, "self")},
                           {{"axes", integers(node, "dim")},
                            {"keepdims", std::int64_t{constant(node, "keepdim").toBool()}}});
  }

  /// Repeats a single number, which LibTorch accepts for rows and columns alike.
  static Numbers for_both_sides(Numbers numbers) {
    if (numbers.size() == 1) numbers.push_back(numbers.front());
    return numbers;
  }

  /// ONNX padding: before rows, before columns, after rows, after columns.
  static Numbers pads_of(const jit::Node& node) {
    Numbers pads = for_both_sides(integers(node, "padding"));
    const Numbers before = pads;
    pads.insert(pads.end(), before.begin(), before.end());
    return pads;
  }

  static OnnxAttributes pooling(const jit::Node& node) {
    const Numbers kernel = for_both_sides(integers(node, "kernel_size"));
    const Numbers strides = for_both_sides(integers(node, "stride"));
    return {{"kernel_shape", kernel},
            {"strides", strides.empty() ? kernel : strides},
            {"pads", pads_of(node)},
            {"ceil_mode", std::int64_t{constant(node, "ceil_mode").toBool()}}};
  }
  std::string max_pool(const jit::Node& node) {
    auto attributes = pooling(node);
    attributes.emplace_back("dilations", for_both_sides(integers(node, "dilation")));
    return model_.add_node("MaxPool", {tensor(node, "self")}, attributes);
  }
  std::string average_pool(const jit::Node& node) {
    auto attributes = pooling(node);
    attributes.emplace_back("count_include_pad",
                            std::int64_t{constant(node, "count_include_pad").toBool()});
    return model_.add_node("AveragePool", {tensor(node, "self")}, attributes);
  }

  /// Average pooling to a fixed output size, as a matrix product over rows and one over columns.
  std::string adaptive_average_pool(const jit::Node& node) {
    const jit::Value* read = input(node, "self");
    const Numbers wanted = integers(node, "output_size");
    const auto rows = averaging(values_.fixed_size(read, 2), wanted.at(0));
    const auto columns = averaging(values_.fixed_size(read, 3), wanted.at(1)).t();
    const std::string mixed = model_.add_node(
        "MatMul", {values_.constant_tensor(node.output(), rows), values_.name(read)});
    const std::string name = "columns_" + node.output()->debugName();
    model_.add_initializer(name, columns);
    return model_.add_node("MatMul", {mixed, name});
  }

  /// outputs × inputs: each output is the mean of all inputs that it covers at least in part.
  static torch::Tensor averaging(std::int64_t inputs, std::int64_t outputs) {
    torch::Tensor matrix = torch::zeros({outputs, inputs});
    for (std::int64_t i = 0; i < outputs; ++i) {
      const std::int64_t first = i * inputs / outputs;
      const std::int64_t end = ((i + 1) * inputs + outputs - 1) / outputs;
      matrix[i].slice(0, first, end).fill_(1.0 / static_cast<double>(end - first));
    }
    return matrix;
  }

  std::string reshape(const jit::Node& node) {
    return model_.add_node("Reshape", {same(node), values_.shape(node.output(), /*open=*/true)});
  }
  std::string expand(const jit::Node& node) {
    return model_.add_node("Expand", {same(node), values_.shape(node.output(), /*open=*/false)});
  }
  std::string permute(const jit::Node& node) {
    Numbers order = integers(node, "dims");
    for (auto& dimension : order) {
      if (dimension < 0) dimension += static_cast<std::int64_t>(order.size());
    }
    return model_.add_node("Transpose", {tensor(node, "self")}, {{"perm", order}});
  }
  std::string transpose(const jit::Node& node) {
    const jit::Value* read = input(node, "self");
    Numbers order(static_cast<std::size_t>(values_.dimensions(read)));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    std::swap(order.at(static_cast<std::size_t>(dimension(node, "dim0", read))),
              order.at(static_cast<std::size_t>(dimension(node, "dim1", read))));
    return model_.add_node("Transpose", {values_.name(read)}, {{"perm", order}});
  }
  std::string matrix_transpose(const jit::Node& node) {
    return model_.add_node("Transpose", {tensor(node, "self")}, {{"perm", Numbers{1, 0}}});
  }
  std::string identity_matrix(const jit::Node& node) {
    const std::int64_t rows = integer(node, "n");
    const bool square = node.kind() == c10::aten::eye && node.schema().overload_name().empty();
    return values_.constant_tensor(node.output(),
                                   torch::eye(rows, square ? rows : integer(node, "m")));
  }
  /// A conversion to float32 changes nothing, since the exported network computes in float32.
  std::string converted(const jit::Node& node) {
    const auto type = node.output()->type()->expect<c10::TensorType>()->scalarType();
    if (!type || *type != torch::kFloat32) {
      throw UserError("the network computes in another type than float32; export to torchscript");
    }
    return same(node);
  }
  std::string select(const jit::Node& node) {
    const std::string index = "index_" + node.output()->debugName();
    model_.add_initializer(index, torch::tensor(integer(node, "index"), torch::kInt64));
    return model_.add_node("Gather", {tensor(node, "self"), index},
                           {{"axis", dimension(node, "dim", input(node, "self"))}});
  }
  std::string sliced(const jit::Node& node, std::int64_t first, std::int64_t end,
                     std::int64_t step) {
    const std::int64_t axis = dimension(node, "dim", input(node, "self"));
    return model_.add_node("Slice", {tensor(node, "self"), model_.constant(Numbers{first}),
                                     model_.constant(Numbers{end}), model_.constant(Numbers{axis}),
                                     model_.constant(Numbers{step})});
  }
  std::string narrow(const jit::Node& node) {
    const std::int64_t first = integer(node, "start");
    return sliced(node, first, first + integer(node, "length"), 1);
  }
  std::string slice(const jit::Node& node) {
    const auto otherwise = [&](const char* name, std::int64_t value) {
      return is_none(node, name) ? value : integer(node, name);
    };
    return sliced(node, otherwise("start", 0),
                  otherwise("end", std::numeric_limits<std::int64_t>::max()),
                  integer(node, "step"));
  }
  std::string concatenate(const jit::Node& node) {
    std::vector<std::string> parts;
    for (const auto* part : input(node, "tensors")->node()->inputs()) {
      parts.push_back(values_.name(part));
    }
    return model_.add_node("Concat", parts, {{"axis", dimension(node, "dim", node.output())}});
  }

  const TracedNetwork& traced_;
  const MultiExitNetwork& network_;
  OnnxModel& model_;
  OnnxValues values_;
};

std::map<std::string, OnnxGraph::Writer> OnnxGraph::writers_of_layers() {
  return {
      {"aten::_convolution", &OnnxGraph::convolution},
      {"aten::conv2d", &OnnxGraph::convolution},
      {"aten::batch_norm", &OnnxGraph::batch_norm},
      {"aten::layer_norm", &OnnxGraph::layer_norm},
      {"aten::linear", &OnnxGraph::linear},
      {"aten::addmm", &OnnxGraph::biased_product},
      {"aten::mm", &OnnxGraph::matrix_product},
      {"aten::matmul", &OnnxGraph::matrix_product},
      {"aten::bmm", &OnnxGraph::matrix_product},
      {"aten::relu", &OnnxGraph::relu},
      {"aten::leaky_relu", &OnnxGraph::leaky_relu},
      {"aten::sigmoid", &OnnxGraph::sigmoid},
      {"aten::tanh", &OnnxGraph::hyperbolic_tangent},
      {"aten::gelu", &OnnxGraph::gelu},
      {"aten::softmax", &OnnxGraph::softmax},
      {"aten::add", &OnnxGraph::add},
      {"aten::sub", &OnnxGraph::subtract},
      {"aten::mul", &OnnxGraph::multiply},
      {"aten::div", &OnnxGraph::divide},
      {"aten::sum", &OnnxGraph::sum},
      {"aten::mean", &OnnxGraph::mean},
      {"aten::max_pool2d", &OnnxGraph::max_pool},
      {"aten::avg_pool2d", &OnnxGraph::average_pool},
      {"aten::adaptive_avg_pool2d", &OnnxGraph::adaptive_average_pool},
      {"aten::dropout", &OnnxGraph::dropout},
  };
}

std::map<std::string, OnnxGraph::Writer> OnnxGraph::writers_of_shapes() {
  return {
      {"aten::flatten", &OnnxGraph::reshape},     {"aten::unflatten", &OnnxGraph::reshape},
      {"aten::view", &OnnxGraph::reshape},        {"aten::reshape", &OnnxGraph::reshape},
      {"aten::unsqueeze", &OnnxGraph::reshape},   {"aten::squeeze", &OnnxGraph::reshape},
      {"aten::expand", &OnnxGraph::expand},       {"aten::permute", &OnnxGraph::permute},
      {"aten::transpose", &OnnxGraph::transpose}, {"aten::t", &OnnxGraph::matrix_transpose},
      {"aten::eye", &OnnxGraph::identity_matrix}, {"aten::to", &OnnxGraph::converted},
      {"aten::select", &OnnxGraph::select},       {"aten::narrow", &OnnxGraph::narrow},
      {"aten::slice", &OnnxGraph::slice},         {"aten::cat", &OnnxGraph::concatenate},
      {"aten::contiguous", &OnnxGraph::same},     {"aten::clone", &OnnxGraph::same},
      {"aten::detach", &OnnxGraph::same},         {"aten::alias", &OnnxGraph::same},
  };
}

const std::map<std::string, OnnxGraph::Writer>& OnnxGraph::writers() {
  static const std::map<std::string, Writer> all = [] {
    auto table = writers_of_layers();
    table.merge(writers_of_shapes());
    return table;
  }();
  return all;
}

}  // namespace

OnnxModel onnx_model(const TracedNetwork& traced, const MultiExitNetwork& network) {
  OnnxModel model(network.backbone.name());
  OnnxGraph(traced, network, model).run();
  return model;
}

}  // namespace mlaan
