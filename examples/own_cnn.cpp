// Trains your own convolutional network, with a block of your own, by MLAAN and end to end, and
// compares the bytes that a step of each takes.
#include <mlaan/mlaan.h>

#include <torch/torch.h>

#include <cstdio>

/// x + f(x). Blocks that leap layers are copied from derive from torch::nn::Cloneable.
class ResidualImpl : public torch::nn::Cloneable<ResidualImpl> {
 public:
  explicit ResidualImpl(std::int64_t channels) : channels_(channels) { reset(); }
  void reset() override {
    const auto options = torch::nn::Conv2dOptions(channels_, channels_, 3).padding(1);
    convolution_ = register_module("convolution", torch::nn::Conv2d(options));
    norm_ = register_module("norm", torch::nn::BatchNorm2d(channels_));
  }
  torch::Tensor forward(const torch::Tensor& input) {
    return torch::relu(input + norm_(convolution_(input)));
  }

 private:
  std::int64_t channels_;
  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};
TORCH_MODULE(Residual);

torch::nn::Sequential my_network() {
  torch::nn::Sequential chain(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 16, 3).padding(1)));
  for (int block = 0; block < 8; ++block) chain->push_back(Residual(16));
  chain->push_back(torch::nn::AdaptiveAvgPool2d(torch::nn::AdaptiveAvgPool2dOptions(1)));
  chain->push_back(torch::nn::Flatten());
  chain->push_back(torch::nn::Linear(16, 2));
  return chain;
}

int main() {
  mlaan::measure::install_counting_allocator();  // first thing: it counts every byte from here on
  mlaan::prepare_process();
  torch::manual_seed(1);

  // Is the bright spot a horizontal or a vertical bar?
  const auto labels = torch::randint(2, {64}, torch::kInt64);
  auto images = 0.3 * torch::randn({64, 1, 24, 24});
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const bool vertical = labels[i].item<std::int64_t>() == 1;
    images[i][0].slice(0, 8, vertical ? 16 : 10).slice(1, 8, vertical ? 10 : 16) += 1;
  }

  std::int64_t peak[2] = {0, 0};
  for (const bool local : {false, true}) {
    const auto backbone = mlaan::Backbone::from(my_network(), images);
    const auto partition = mlaan::Partition::uniform(backbone, backbone.size());
    const auto plan = local ? mlaan::methods::mlaan(backbone, partition)
                            : mlaan::methods::e2e(backbone, partition);
    mlaan::Engine engine(backbone, plan);
    for (int step = 0; step < 15; ++step) engine.step(images, labels);
    mlaan::measure::reset_peak(torch::kCPU);
    const auto result = engine.step(images, labels);
    peak[local] = mlaan::measure::read_memory(torch::kCPU).peak;
    const auto wrong = result.logits.argmax(1).ne(labels).to(torch::kFloat32).mean();
    std::printf("%-10s %5.1f %% of the batch wrong, peak %s\n", local ? "mlaan" : "end-to-end",
                100 * wrong.item<double>(), mlaan::format_bytes(peak[local]).c_str());
  }
  return peak[1] < peak[0] ? 0 : 1;
}
