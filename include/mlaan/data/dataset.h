// Data sets: labelled images that are read by number.
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
  /// The label of get(index). Data sets that know it without reading the picture override this.
  virtual std::int64_t label(std::int64_t index) const { return get(index).label; }
  /// The region of the picture that `choose` returns, resized to the frame's size. The default cuts
  /// it from the result of get(); data sets that read files override this to read no more than
  /// needed.
  virtual Sample get_framed(std::int64_t index, const FrameChooser& choose) const;
};

enum class PaddingMode : std::uint8_t { reflect, zero };

/// The published training augmentation of a data set: a random resized crop, or pad and crop back
/// to size; then flip.
struct CropRecipe {
  std::int64_t padding = 0;  ///< pixels on each side
  PaddingMode padding_mode = PaddingMode::reflect;
  bool flip = false;     ///< mirror left and right with probability 1/2
  bool resized = false;  ///< a random resized crop; `padding` is 0 then
};

/// A data set with everything that training needs to know about it.
struct DataSource {
  std::string name;
  Shape image_shape;  ///< channels, height, width of the network's input
  std::vector<std::string> classes;
  Normalisation normalisation;
  /// How pictures are brought to image_shape where they are not cropped at random.
  Framing framing;
  CropRecipe crop;
  bool skip_damaged = false;  ///< see LoaderOptions
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
};

/// A file that a data set's publisher offers for download.
struct PublishedFile {
  std::string name;
  /// URLs of folders that have it, ending in "/", in the order to try them.
  std::vector<std::string> addresses;
  std::string checksum;         ///< "md5:" or "sha256:" and hexadecimal digits
  std::int64_t bytes = 0;       ///< size; 0: unknown
  std::string unpacks_to = {};  ///< the folder that the archive contains; "": not an archive
  bool optional = false;        ///< the data set works without it
};

/// A data set's entry in the registry.
struct DatasetEntry {
  std::string name;
  std::string summary;  ///< one line for `mlaan info datasets`
  bool needs_folder = false;
  /// Declares the option structs that `load` reads.
  std::function<void(OptionSet& options)> declare;
  /// \param folder where the files are; "" if none is needed.
  /// \throws UserError for a missing folder or a malformed file.
  std::function<DataSource(const std::string& folder, const OptionSet& options)> load;
  /// Files that can be downloaded; empty: no source is known.
  std::vector<PublishedFile> files = {};
};

/// Every data set that can be selected by name.
const Registry<DatasetEntry>& dataset_registry();

/// \throws UserError for an unknown name, and for an empty `folder` where one is needed.
DataSource load_dataset(const std::string& name, const std::string& folder,
                        const OptionSet& options);

}  // namespace mlaan
