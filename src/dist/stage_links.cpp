// Sends tensors between the stages of a training, each of which is a rank.
#include "dist/stage_links.h"

#include "core/broadcast.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace mlaan {
namespace {

constexpr int most_channels = 1 << 16;  // in a plan
constexpr std::size_t most_sent_dimensions = 8;

/// The metadata ahead of a tensor's elements.
struct Header {
  std::int64_t is_defined = 0;
  /// 1: in a second message, because the receiver's buffer is too small.
  std::int64_t elements_follow = 0;
  std::int64_t elements_bytes = 0;
  std::int64_t type = 0;     ///< dtype of the elements
  std::int64_t read_as = 0;  ///< see StageMessage::dtype
  std::int64_t dimensions = 0;
  std::array<std::int64_t, most_sent_dimensions> sizes{};
  std::array<std::int64_t, most_sent_dimensions> strides{};
};

/// Elements after the header are aligned as memory that LibTorch allocates.
constexpr std::int64_t alignment_of_elements = 64;
constexpr std::int64_t header_bytes =
    (static_cast<std::int64_t>(sizeof(Header)) + alignment_of_elements - 1) /
    alignment_of_elements * alignment_of_elements;

/// The same values on the CPU, without gaps in memory; dimensions of stride 0 (broadcast) stay so.
torch::Tensor dense_on_cpu(const torch::Tensor& tensor) {
  const torch::Tensor here = tensor.detach().cpu();
  return without_repeats(here).is_non_overlapping_and_dense() ? here : here.contiguous();
}

Header header_of(const StageMessage& message, const torch::Tensor& dense) {
  Header header;
  header.read_as = static_cast<std::int64_t>(message.dtype);
  if (!dense.defined()) return header;
  TORCH_CHECK(dense.dim() <= static_cast<std::int64_t>(most_sent_dimensions),
              "tensors of more than ", most_sent_dimensions, " dimensions are not sent to stages");
  header.is_defined = 1;
  header.type = static_cast<std::int64_t>(dense.scalar_type());
  header.elements_bytes = static_cast<std::int64_t>(without_repeats(dense).nbytes());
  header.dimensions = dense.dim();
  std::copy(dense.sizes().begin(), dense.sizes().end(), header.sizes.begin());
  std::copy(dense.strides().begin(), dense.strides().end(), header.strides.begin());
  return header;
}

torch::Tensor empty_bytes(std::int64_t count) {
  return at::empty({count}, torch::TensorOptions(torch::kUInt8));
}

/// \param elements bytes that begin with the tensor's elements.
StageMessage message_of(const Header& header, const torch::Tensor& elements) {
  StageMessage message;
  message.dtype = static_cast<torch::Dtype>(header.read_as);
  if (header.is_defined == 0) return message;
  const auto count = static_cast<std::size_t>(header.dimensions);
  const std::vector<std::int64_t> sizes(header.sizes.begin(), header.sizes.begin() + count);
  const std::vector<std::int64_t> strides(header.strides.begin(), header.strides.begin() + count);
  const torch::Tensor row =
      elements.narrow(0, 0, header.elements_bytes).view(static_cast<torch::Dtype>(header.type));
  // Detached, so that its base does not hold another reference to the memory.
  message.tensor = row.as_strided(sizes, strides).detach();
  return message;
}

}  // namespace

StageLinks::StageLinks(ProcessGroup& group)
    : group_(group), first_tag_(group.reserve_tags(most_channels)) {}
StageLinks::~StageLinks() = default;

StageLinks::End& StageLinks::end_of(const StageChannel& channel) {
  const auto [found, is_new] = ends_.try_emplace(channel.number);
  if (is_new) found->second.capacity = header_bytes;
  return found->second;
}

int StageLinks::tag_of(const StageChannel& channel) const {
  TORCH_CHECK(static_cast<int>(channel.number) < most_channels, "a plan has more than ",
              most_channels, " channels");
  return first_tag_ + static_cast<int>(channel.number);
}

void StageLinks::start_send(End& end, torch::Tensor bytes, const StageChannel& channel) {
  auto exchange =
      group_.start_send(bytes, static_cast<int>(channel.to), tag_of(channel), channel.what);
  end.under_way.push_back({std::move(bytes), std::move(exchange)});
}

void StageLinks::send(const StageMessage& message, const StageChannel& channel) {
  const torch::NoGradGuard no_grad;
  End& end = end_of(channel);
  while (end.under_way.size() > channel.most_under_way) {
    end.under_way.front().exchange->wait();
    end.under_way.pop_front();
  }
  torch::Tensor dense;
  if (message.tensor.defined()) dense = dense_on_cpu(message.tensor);
  Header header = header_of(message, dense);
  const std::int64_t whole = header_bytes + header.elements_bytes;
  const bool has_room = whole <= end.capacity;
  header.elements_follow = has_room ? 0 : 1;
  torch::Tensor first = empty_bytes(has_room ? whole : header_bytes);
  std::memcpy(first.data_ptr(), &header, sizeof header);
  const auto copy_elements = [&](std::uint8_t* to) {
    if (header.elements_bytes == 0) return;
    std::memcpy(to, dense.data_ptr(), static_cast<std::size_t>(header.elements_bytes));
  };
  if (has_room) copy_elements(first.data_ptr<std::uint8_t>() + header_bytes);
  start_send(end, std::move(first), channel);
  if (has_room) return;
  torch::Tensor elements = empty_bytes(header.elements_bytes);
  copy_elements(elements.data_ptr<std::uint8_t>());
  start_send(end, std::move(elements), channel);
  end.capacity = whole;
}

StageLinks::Transfer StageLinks::start_receive(std::int64_t bytes, const StageChannel& channel) {
  Transfer transfer{empty_bytes(bytes), nullptr};
  transfer.exchange = group_.start_receive(transfer.bytes, static_cast<int>(channel.from),
                                           tag_of(channel), channel.what);
  return transfer;
}

StageMessage StageLinks::receive(const StageChannel& channel) {
  const torch::NoGradGuard no_grad;
  End& end = end_of(channel);
  if (end.under_way.empty()) end.under_way.push_back(start_receive(end.capacity, channel));
  Transfer first = std::move(end.under_way.front());
  end.under_way.pop_front();
  first.exchange->wait();
  Header header;
  std::memcpy(&header, first.bytes.data_ptr(), sizeof header);
  torch::Tensor elements;
  if (header.elements_follow != 0) {
    Transfer second = start_receive(header.elements_bytes, channel);
    second.exchange->wait();
    elements = std::move(second.bytes);
    end.capacity = header_bytes + header.elements_bytes;
  } else {
    elements = first.bytes.narrow(0, header_bytes, first.bytes.numel() - header_bytes);
  }
  first.exchange.reset();
  first.bytes = torch::Tensor();
  end.under_way.push_back(start_receive(end.capacity, channel));
  return message_of(header, elements);
}

}  // namespace mlaan
