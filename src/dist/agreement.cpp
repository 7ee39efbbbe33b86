// Checks that all ranks have the same settings.
#include <mlaan/dist/process_group.h>

#include <sstream>

namespace mlaan {
namespace {

/// Lengths precede the texts, because the texts may hold any bytes.
std::string packed(const std::vector<Agreed>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    text += std::to_string(name.size()) + " " + std::to_string(value.size()) + " " + name + value;
  }
  return text;
}

std::vector<Agreed> unpacked(const std::string& text) {
  std::vector<Agreed> values;
  std::istringstream stream(text);
  std::size_t name = 0;
  std::size_t value = 0;
  while (stream >> name >> value) {
    stream.get();
    Agreed one{std::string(name, ' '), std::string(value, ' ')};
    stream.read(one.first.data(), static_cast<std::streamsize>(name));
    stream.read(one.second.data(), static_cast<std::streamsize>(value));
    values.push_back(std::move(one));
  }
  return values;
}

}  // namespace

void check_agreement(ProcessGroup& group, const std::vector<Agreed>& values) {
  const auto texts = group.gather(packed(values), "the comparison of settings");
  const auto first = unpacked(texts.front());
  for (std::size_t r = 1; r < texts.size(); ++r) {
    const auto other = unpacked(texts[r]);
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (i < other.size() && other[i] == first[i]) continue;
      const std::string theirs =
          i < other.size() && other[i].first == first[i].first ? other[i].second : "nothing";
      throw UserError(group.name_of(static_cast<int>(r)) + " has " + first[i].first + " = " +
                      theirs + ", where rank 0 has " + first[i].second +
                      "; start all ranks with the same settings");
    }
  }
}

}  // namespace mlaan
