// Loads pretrained weights from a safetensors file with the parameters' names, as in torchvision.
#include <mlaan/core/error.h>
#include <mlaan/io/safetensors.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/pretrained_weights.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

bool is_counter(const std::string& name) {
  const std::string counter = "num_batches_tracked";
  return name.size() >= counter.size() &&
         name.compare(name.size() - counter.size(), counter.size(), counter) == 0;
}

std::vector<NamedTensor> tensors_of(const Unit& unit) {
  auto tensors = unit.named_parameters();
  for (auto& buffer : unit.named_buffers()) tensors.push_back(std::move(buffer));
  return tensors;
}

/// The first few of a list of names, and the number of the others.
std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

using Sources = std::map<std::string, torch::Tensor>;

/// Advice for a file that has the tensor under a prefix, as wrapper modules add one.
std::string prefix_advice(const std::string& name, const Sources& sources) {
  const std::string end = "." + name;
  for (const auto& source : sources) {
    const std::string& given = source.first;
    if (given.size() <= end.size() ||
        given.compare(given.size() - end.size(), end.size(), end) != 0) {
      continue;
    }
    const std::string prefix = given.substr(0, given.size() - name.size());
    return "; it has " + given + ": remove '" + prefix + "' from the names" +
           (prefix == "module." ? ", which torch.nn.DataParallel added" : "");
  }
  return "";
}

/// Refuses a head for other classes: its outputs are assigned to classes by their order alone.
void check_classes(const std::filesystem::path& path, const std::vector<std::string>& of_file,
                   const std::vector<std::string>& wanted) {
  if (wanted.empty() || of_file.size() != wanted.size()) return;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (of_file[i] == wanted[i] || of_file[i] == std::to_string(i) ||
        wanted[i] == std::to_string(i)) {
      continue;
    }
    throw UserError(path.string() + " is for other classes: number " + std::to_string(i) + " is '" +
                    of_file[i] + "', not '" + wanted[i] +
                    "'; to leave out its head, set weights_head = \"fresh\"");
  }
}

/// Pairs a network's tensors with a file's: all are checked before the first is overwritten.
class PretrainedCopies {
 public:
  PretrainedCopies(const std::filesystem::path& path, const TensorFile& file, std::string backbone)
      : path_(path.string()), backbone_(std::move(backbone)) {
    for (const auto& named : file.tensors) sources_.emplace(named.name, named.tensor);
  }

  /// \param advice what to add to the message where the file's has another shape.
  void take(const NamedTensor& target, const std::string& advice) {
    const auto found = sources_.find(target.name);
    if (found == sources_.end()) {
      if (!is_counter(target.name)) missing_.push_back(target.name);
      return;
    }
    if (found->second.sizes() != target.tensor.sizes()) {
      throw UserError(path_ + ": " + target.name + " has the shape " +
                      to_string(found->second.sizes().vec()) + ", where " + backbone_ + " has " +
                      to_string(target.tensor.sizes().vec()) + advice);
    }
    copies_.emplace_back(target.tensor, found->second);
    sources_.erase(found);
  }

  void leave_out(const std::string& name) { sources_.erase(name); }

  /// \throws UserError for a tensor of the network that the file lacks.
  void check_all_found() const {
    if (missing_.empty()) return;
    throw UserError(path_ + " has no " + first_of(missing_) + ", which " + backbone_ + " needs" +
                    prefix_advice(missing_.front(), sources_));
  }

  /// \throws UserError for a tensor of the file that the network lacks.
  void check_all_used() const {
    if (sources_.empty()) return;
    std::vector<std::string> unknown;
    for (const auto& source : sources_) unknown.push_back(source.first);
    throw UserError(path_ + " has " + first_of(unknown) + ", which " + backbone_ +
                    " does not have");
  }

  void copy() const {
    const torch::NoGradGuard no_grad;
    for (const auto& [target, source] : copies_) target.copy_(source);
  }

 private:
  std::string path_;
  std::string backbone_;  ///< its name
  Sources sources_;       ///< tensors of the file that have no target yet
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies_;  ///< target and source
  std::vector<std::string> missing_;
};

}  // namespace

void load_pretrained(const std::filesystem::path& path, const Backbone& backbone,
                     PretrainedHead head, const std::vector<std::string>& classes) {
  const TensorFile file = read_safetensors(path);
  if (head == PretrainedHead::load) check_classes(path, class_names_of(file), classes);
  PretrainedCopies copies(path, file, backbone.name());
  for (const auto& unit : backbone.units()) {
    for (const auto& target : tensors_of(unit)) copies.take(target, "");
  }
  for (const auto& unit : backbone.head()->units()) {
    for (const auto& target : tensors_of(unit)) {
      if (head == PretrainedHead::load) {
        copies.take(target, "; to leave out the file's head, set weights_head = \"fresh\"");
      } else {
        copies.leave_out(target.name);
      }
    }
  }
  copies.check_all_found();
  if (!is_checkpoint(file)) copies.check_all_used();
  copies.copy();
}

}  // namespace mlaan
