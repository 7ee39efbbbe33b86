// Data sets in folders of pictures, with one folder for each class.
#include "data/picture_files.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>
#include <mlaan/data/image_folder.h>
#include <mlaan/data/picture.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

namespace mlaan {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<ImageFolder::Entry>;

/// The pictures of each class, by the class's name.
using Classes = std::map<std::string, std::vector<fs::path>>;

std::string joined_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more"
                             : text;
}

bool holds_folders(const fs::path& folder) {
  const fs::directory_iterator items(folder);
  return std::any_of(begin(items), end(items), [](const auto& item) {
    return item.is_directory() && item.path().filename().string().front() != '.';
  });
}

/// A single class usually means that the folder above was meant, and every prediction would be
/// right.
void refuse_single_class(const Classes& classes, const fs::path& folder) {
  if (classes.size() != 1) return;
  const std::string& name = classes.begin()->first;
  const fs::path below = folder / name;
  throw UserError("there is only one class, '" + name + "', in " + folder.string() +
                  "; expected a folder for each of two or more classes" +
                  (holds_folders(below) ? ": --data " + below.string() + "?" : ""));
}

Classes read_classes(const fs::path& folder) {
  Classes classes;
  std::vector<std::string> empty;
  for (const auto& path : entries_of_folder(folder)) {
    const std::string name = path.filename().string();
    std::error_code error;
    if (name.front() == '.' || !fs::is_directory(path, error)) continue;
    auto& pictures = classes[name];
    pictures = picture_files(path);
    if (pictures.empty()) empty.push_back(name);
  }
  refuse_single_class(classes, folder);
  if (classes.empty()) {
    throw UserError("no classes in " + folder.string() +
                    ": expected a folder of pictures for each class");
  }
  if (!empty.empty()) {
    std::sort(empty.begin(), empty.end());
    throw UserError("class folders without a picture (" + picture_extensions_text() + ") in " +
                    folder.string() + ": " + joined_names(empty));
  }
  return classes;
}

std::vector<std::string> names_of(const Classes& classes) {
  std::vector<std::string> names;
  for (const auto& [name, pictures] : classes) names.push_back(name);
  return names;
}

std::vector<std::string> missing(const Classes& from, const Classes& in) {
  std::vector<std::string> names;
  for (const auto& [name, pictures] : from) {
    if (in.count(name) == 0) names.push_back(name);
  }
  return names;
}

void check_same_classes(const Classes& train, const fs::path& train_folder, const Classes& test,
                        const fs::path& test_folder) {
  std::string message;
  const auto add = [&](const std::vector<std::string>& names, const fs::path& from,
                       const fs::path& in) {
    if (names.empty()) return;
    message += (message.empty() ? "" : "; ") + in.string() + " lacks " + joined_names(names) +
               ", which " + from.string() + " has";
  };
  add(missing(train, test), train_folder, test_folder);
  add(missing(test, train), test_folder, train_folder);
  if (!message.empty()) throw UserError("classes to train and to test on differ: " + message);
}

Entries entries_of(const Classes& classes) {
  Entries entries;
  std::int64_t label = 0;
  for (const auto& [name, pictures] : classes) {
    for (const auto& picture : pictures) entries.push_back({picture, label});
    ++label;
  }
  return entries;
}

struct TrainAndTest {
  Classes train;
  Classes test;
};

/// Holds out a fraction of every class for testing, but never all of it.
TrainAndTest split(const Classes& classes, const FolderOptions& options) {
  TrainAndTest parts;
  for (const auto& [name, pictures] : classes) {
    const auto count = static_cast<std::int64_t>(pictures.size());
    const auto held_out = std::min<std::int64_t>(
        count - 1, std::llround(static_cast<double>(count) * options.test_fraction));
    auto order = random_permutation(
        count, random_key({static_cast<std::uint64_t>(options.split_seed), random_key(name)}));
    const auto first_to_train = order.begin() + static_cast<std::ptrdiff_t>(held_out);
    std::sort(order.begin(), first_to_train);
    std::sort(first_to_train, order.end());
    for (auto place = order.begin(); place != order.end(); ++place) {
      auto& part = place < first_to_train ? parts.test : parts.train;
      part[name].push_back(pictures[static_cast<std::size_t>(*place)]);
    }
  }
  return parts;
}

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

/// The folder of the first of these names that exists, ignoring case; "" if none does. The
/// lower-case name is preferred, then the first in sorted order.
fs::path part_of(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.is_directory()) found.push_back(item.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  for (const auto& name : names) {
    if (std::find(found.begin(), found.end(), name) != found.end()) return folder / name;
    const auto alike = std::find_if(found.begin(), found.end(), [&](const std::string& other) {
      return in_small_letters(other) == name;
    });
    if (alike != found.end()) return folder / *alike;
  }
  return {};
}

TrainAndTest read_folder(const fs::path& folder, const FolderOptions& options) {
  if (!fs::is_directory(folder)) {
    throw UserError("there is no folder " + folder.string() + " to read pictures from");
  }
  const fs::path train = part_of(folder, {"train", "training"});
  const fs::path test = part_of(folder, {"val", "valid", "validation", "test", "testing"});
  if (train.empty() && test.empty()) return split(read_classes(folder), options);
  if (train.empty() || test.empty()) {
    const fs::path& found = train.empty() ? test : train;
    throw UserError(folder.string() + " has a folder " + found.filename().string() +
                    "/, but none to " + (train.empty() ? "train" : "test") +
                    " on; expected train/ and val/ or test/ side by side, or one folder for each "
                    "class, of another name");
  }
  TrainAndTest parts{read_classes(train), read_classes(test)};
  check_same_classes(parts.train, train, parts.test, test);
  return parts;
}

[[noreturn]] void refuse_without_test(const fs::path& folder, const Classes& classes,
                                      const FolderOptions& options) {
  std::size_t most = 0;
  for (const auto& [name, pictures] : classes) most = std::max(most, pictures.size());
  const std::string what = "no picture is left to test on in " + folder.string() + ": its classes ";
  if (most == 1) throw UserError(what + "have one picture each, and each is trained on");
  const std::string share = to_toml(OptionValue(options.test_fraction));
  throw UserError(what + "have " + std::to_string(most) + " pictures at most, and " + share +
                  " of that (folder.test_fraction) is less than half a picture; give more "
                  "pictures, a larger folder.test_fraction such as 0.5, or folders train/ and "
                  "val/ or test/");
}

}  // namespace

void FolderOptions::describe(FieldList& fields) {
  fields.add("side", side, "height and width that pictures are resized to", between(8, 4096));
  fields.add("share", share,
             "side of the centre crop as a share of the picture's shorter side, where not cropped "
             "at random; 0.875: resized to 256, cropped to 224",
             between(0.05, 1));
  fields.add("test_fraction", test_fraction,
             "share of each class to test on, where the folder has no train/ and val/",
             between(0.01, 0.9));
  fields.add("split_seed", split_seed, "random seed that selects these test pictures");
  fields.add("damaged", damaged,
             "on a damaged picture: fatal, end the run; skip, report it once and leave it out, in "
             "training replaced by the epoch's next picture",
             one_of({"fatal", "skip"}));
}

Sample ImageFolder::get(std::int64_t index) const {
  return get_framed(index, whole_frame);
}

Sample ImageFolder::get_framed(std::int64_t index, const FrameChooser& choose) const {
  const Entry& picture = entry(index);
  return {read_picture(picture.path, choose), picture.label};
}

DataSource load_image_folder(const fs::path& folder, const FolderOptions& options) {
  const TrainAndTest parts = read_folder(folder, options);
  DataSource source;
  source.name = "folder";
  source.image_shape = {3, options.side, options.side};
  source.classes = names_of(parts.train);
  source.normalisation = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  source.framing.kind = Framing::Kind::centre;
  source.framing.width = options.side;
  source.framing.height = options.side;
  source.framing.share = options.share;
  source.crop.flip = true;
  source.crop.resized = true;
  source.skip_damaged = options.damaged == "skip";
  source.train = std::make_shared<ImageFolder>(entries_of(parts.train));
  Entries test;
  std::int64_t label = 0;
  for (const auto& name : source.classes) {
    const auto pictures = parts.test.find(name);
    if (pictures != parts.test.end()) {
      for (const auto& picture : pictures->second) test.push_back({picture, label});
    }
    ++label;
  }
  if (test.empty()) refuse_without_test(folder, parts.train, options);
  source.test = std::make_shared<ImageFolder>(std::move(test));
  return source;
}

DatasetEntry image_folder_entry() {
  return {"folder",
          "a folder of JPEG, PNG and WebP pictures, train/CLASS/… and val/CLASS/…, or CLASS/…",
          true, [](OptionSet& options) { options.get<FolderOptions>(); },
          [](const std::string& folder, const OptionSet& options) {
            return load_image_folder(folder, options.get<FolderOptions>());
          }};
}

}  // namespace mlaan
