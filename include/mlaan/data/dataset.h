// Data sets: labelled images that can be asked for by number.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/registry.h>
#include <mlaan/data/frame.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/nn/normalisation.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// One labelled image.
struct Sample {
  torch::Tensor image;  ///< uint8, channels × height × width
  std::int64_t label = 0;
};

/// Images and labels. Reading is safe from several threads at once.
class Dataset {
 public:
  Dataset() = default;
  virtual ~Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  virtual std::int64_t size() const = 0;
  /// \param index from 0 to size() − 1.
  virtual Sample get(std::int64_t index) const = 0;
  /// The label of get(index), where that is to be had without the picture.
  virtual std::int64_t label(std::int64_t index) const { return get(index).label; }
  /// The part of the picture that `choose` decides on, brought to its size. Unless overridden, cut
  /// out of what get() gives; data sets that read files override it to read no more than they must.
  virtual Sample get_framed(std::int64_t index, const FrameChooser& choose) const;
};

enum class PaddingMode : std::uint8_t { reflect, zero };

/// The published training augmentation of a data set: a random resized crop, or pad and crop back
/// to size; then flip.
struct CropRecipe {
  std::int64_t padding = 0;
  PaddingMode padding_mode = PaddingMode::reflect;
  bool flip = false;
  bool resized = false;  ///< a random resized crop; `padding` is 0 then
};

/// A data set with everything that training needs to know of it.
struct DataSource {
  std::string name;
  Shape image_shape;  ///< channels, height, width; of what the network takes
  std::vector<std::string> classes;
  Normalisation normalisation;
  /// How pictures are brought to image_shape where no random crop does it.
  Framing framing;
  CropRecipe crop;
  bool skip_damaged = false;  ///< see LoaderOptions
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
};

/// A file that a data set's publisher offers for download.
struct PublishedFile {
  std::string name;
  std::vector<std::string> addresses;  ///< of folders that have it, in the order to try them
  std::string checksum;                ///< "md5:" or "sha256:" and hexadecimal digits
  std::int64_t bytes = 0;              ///< 0: not known
  std::string unpacks_to = {};         ///< the folder that is in an archive; "": no archive
  bool optional = false;               ///< the data set can do without
};

/// A data set as the registry knows it.
struct DatasetEntry {
  std::string name;
  std::string summary;  ///< one line for `mlaan info datasets`
  bool needs_folder = false;
  /// Asks the set for the option structs that loading reads.
  std::function<void(OptionSet& options)> declare;
  /// \param folder where the files are; "" where none is needed.
  /// \throws UserError for a missing folder or a file that is not as its format says.
  std::function<DataSource(const std::string& folder, const OptionSet& options)> load;
  /// Where its files come from; empty: from nowhere that is known.
  std::vector<PublishedFile> files = {};
};

/// Every data set that can be asked for by name.
const Registry<DatasetEntry>& dataset_registry();

/// \throws UserError for an unknown name, and for a missing `folder` where one is needed.
DataSource load_dataset(const std::string& name, const std::string& folder,
                        const OptionSet& options);

}  // namespace mlaan
