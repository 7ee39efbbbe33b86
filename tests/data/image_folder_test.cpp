#include "support/errors.h"
#include "support/files.h"
#include "support/picture_writer.h"
#include "support/temporary_folder.h"

#include <mlaan/data/image_folder.h>
#include <mlaan/data/loader.h>
#include <mlaan/data/picture_check.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <numeric>
#include <set>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

/// Pictures of the given names, all a little different.
void write_pictures(const fs::path& folder, const std::vector<std::string>& names) {
  std::int64_t width = 40;
  for (const auto& name : names) {
    write_bytes(folder / name, jpeg_file(wavy_picture(3, 36, width++)));
  }
}

FolderOptions small_pictures() {
  FolderOptions options;
  options.side = 16;
  return options;
}

const ImageFolder& train_of(const DataSource& data) {
  return dynamic_cast<const ImageFolder&>(*data.train);
}
const ImageFolder& test_of(const DataSource& data) {
  return dynamic_cast<const ImageFolder&>(*data.test);
}

TEST(ImageFolder, ImageNetsLayout) {
  const TemporaryFolder folder;
  write_pictures(folder.path(), {"train/dog/b.JPEG", "train/dog/more/a.jpg", "train/cat/1.jpg",
                                 "val/cat/9.jpg", "val/dog/8.jpg", "train/cat/.hidden.jpg"});
  write_bytes(folder / "train/dog/notes.txt", "no picture");
  const DataSource data = load_image_folder(folder.path(), small_pictures());
  EXPECT_EQ(data.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(data.image_shape, (Shape{3, 16, 16}));
  ASSERT_EQ(data.train->size(), 3);
  EXPECT_EQ(train_of(data).entry(0).path.filename(), "1.jpg");
  EXPECT_EQ(train_of(data).entry(1).path.filename(), "b.JPEG");
  EXPECT_EQ(train_of(data).entry(2).label, 1);
  ASSERT_EQ(data.test->size(), 2);
  EXPECT_EQ(data.test->get(0).label, 0);
  EXPECT_EQ(data.train->get(0).image.size(1), 36);
}

TEST(ImageFolder, PlainLayoutHoldsOutAShareOfEveryClass) {
  const TemporaryFolder folder;
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("a/" + std::to_string(i) + ".jpg");
  for (int i = 0; i < 10; ++i) names.push_back("b/" + std::to_string(i) + ".jpg");
  for (const auto& name : names) write_bytes(folder / name, "");
  const auto paths_of = [](const ImageFolder& pictures) {
    std::set<std::string> paths;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
      paths.insert(pictures.entry(i).path.string());
    }
    return paths;
  };
  FolderOptions options = small_pictures();
  const DataSource data = load_image_folder(folder.path(), options);
  EXPECT_EQ(data.train->size(), 24);
  ASSERT_EQ(data.test->size(), 6);
  EXPECT_EQ(test_of(data).entry(3).label, 0);
  EXPECT_EQ(test_of(data).entry(4).label, 1);
  auto all = paths_of(train_of(data));
  const auto test = paths_of(test_of(data));
  all.insert(test.begin(), test.end());
  EXPECT_EQ(all.size(), 30U);
  EXPECT_EQ(paths_of(test_of(load_image_folder(folder.path(), options))), test);
  options.split_seed = 1;
  EXPECT_NE(paths_of(test_of(load_image_folder(folder.path(), options))), test);
}

TEST(ImageFolder, WhatIsWrongIsNamed) {
  const TemporaryFolder folder;
  const auto load = [&] { load_image_folder(folder.path(), small_pictures()); };
  expect_user_error([&] { load_image_folder(folder / "nowhere", small_pictures()); },
                    {"no folder", "nowhere"});
  expect_user_error(load, {"no classes"});
  write_pictures(folder.path(), {"train/cat/1.jpg", "train/dog/1.jpg"});
  expect_user_error(load, {"none to test on", "val/"});
  write_pictures(folder.path(), {"val/cat/1.jpg", "val/cow/1.jpg"});
  expect_user_error(load, {"val lacks dog", "train lacks cow"});
  fs::create_directories(folder / "train/cow");
  expect_user_error(load, {"without a picture", "cow"});
}

TEST(ImageFolder, TooFewPicturesToTestOnAreCounted) {
  const TemporaryFolder folder;
  FolderOptions options = small_pictures();
  const auto load = [&] { return load_image_folder(folder.path(), options); };
  write_pictures(folder.path(), {"a/1.jpg", "b/1.jpg"});
  expect_user_error(load, {"one picture each"});
  write_pictures(folder.path(), {"a/2.jpg", "b/2.jpg"});
  expect_user_error(load, {"2 pictures at most", "folder.test_fraction", "0.2"});
  options.test_fraction = 0.5;
  EXPECT_EQ(load().test->size(), 2);
}

TEST(ImageFolder, FoldersThatCannotBeReadAreNamed) {
  const TemporaryFolder folder;
  write_pictures(folder.path(), {"train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg",
                                 "train/b/secret/2.jpg"});
  fs::create_symlink("round.jpg", folder / "train/a/round.jpg");
  fs::create_directory_symlink("around", folder / "train/around");
  EXPECT_EQ(load_image_folder(folder.path(), small_pictures()).classes.size(), 2U)
      << "links that lead to themselves are no folders";
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "train/b/secret", fs::perms::none);
  const uid_t user = geteuid();
  constexpr uid_t nobody = 65534;
  if (user == 0) {
    ASSERT_EQ(seteuid(nobody), 0);  // for whom permissions hold
  }
  expect_user_error([&] { load_image_folder(folder.path(), small_pictures()); },
                    {"cannot read the folder", "train/b/secret", "Permission denied"});
  if (user == 0) {
    ASSERT_EQ(seteuid(user), 0);
  }
  fs::permissions(folder / "train/b/secret", fs::perms::all);
}

TEST(ImageFolder, PartsAreKnownByTheirUsualNames) {
  for (const auto& [train, test] : std::vector<std::pair<std::string, std::string>>{
           {"Train", "Test"}, {"TRAIN", "VAL"}, {"train", "valid"}, {"training", "Validation"}}) {
    const TemporaryFolder folder;
    write_pictures(folder.path(), {train + "/cat/1.jpg", train + "/cat/2.jpg", train + "/dog/1.jpg",
                                   test + "/cat/1.jpg", test + "/dog/1.jpg"});
    const DataSource data = load_image_folder(folder.path(), small_pictures());
    EXPECT_EQ(data.classes, (std::vector<std::string>{"cat", "dog"})) << train;
    EXPECT_EQ(data.train->size(), 3) << train;
    EXPECT_EQ(data.test->size(), 2) << test;
  }
  const TemporaryFolder folder;
  write_pictures(folder.path(), {"Test/cat/1.jpg", "Test/dog/1.jpg", "more/cat/1.jpg"});
  expect_user_error([&] { load_image_folder(folder.path(), small_pictures()); },
                    {"Test/", "none to train on"});
}

TEST(ImageFolder, OneClassIsRefused) {
  const TemporaryFolder folder;
  write_pictures(folder.path(), {"data/train/cat/1.jpg", "data/train/dog/1.jpg",
                                 "data/val/cat/1.jpg", "data/val/dog/1.jpg"});
  expect_user_error([&] { load_image_folder(folder.path(), small_pictures()); },
                    {"one class", "'data'", "--data " + (folder / "data").string()});
  EXPECT_EQ(load_image_folder(folder / "data", small_pictures()).classes.size(), 2U);
}

TEST(ImageFolder, LinkedFoldersAreFollowedButNotInCircles) {
  const TemporaryFolder store;
  const TemporaryFolder folder;
  write_pictures(store.path(), {"a/1.jpg", "a/below/2.jpg"});
  write_pictures(folder.path(), {"train/a/3.jpg", "train/b/4.jpg", "val/a/5.jpg", "val/b/6.jpg"});
  fs::create_directory_symlink(store / "a", folder / "train/a/linked");
  fs::create_directory_symlink(folder / "train/a", folder / "train/a/circle");
  fs::create_directory_symlink(folder / "train/b", folder / "train/a/other");
  fs::create_symlink("nowhere", folder / "train/a/gone.jpg");
  ASSERT_EQ(mkfifo((folder / "train/a/pipe.jpg").c_str(), 0600), 0);
  const DataSource data = load_image_folder(folder.path(), small_pictures());
  EXPECT_EQ(data.train->size(), 5) << "3, 1 and 2 of the store, 4 by the link, and 4";
  EXPECT_EQ(check_pictures(folder.path(), 1).pictures, 7);
}

/// Ten pictures, two of them damaged.
class DamagedPictures : public ::testing::Test {
 protected:
  DamagedPictures() {
    for (int i = 0; i < 10; ++i) {
      write_pictures(folder.path(), {"train/a/" + std::to_string(i) + ".jpg"});
    }
    write_pictures(folder.path(), {"val/a/1.jpg", "train/b/1.jpg", "val/b/1.jpg"});
    for (const char* name : {"train/a/3.jpg", "train/a/4.jpg"}) {
      write_bytes(folder / name, "these are words");
    }
  }

  std::unique_ptr<Loader> make(std::int64_t workers, bool shuffle, bool skip = true) {
    const DataSource data = load_image_folder(folder.path(), small_pictures());
    LoaderOptions options;
    options.batch_size = 5;
    options.workers = workers;
    options.shuffle = shuffle;
    options.skip_damaged = skip;
    options.on_skipped = [this](const std::string& what) { skipped.push_back(what); };
    Framing framing = data.framing;
    if (shuffle) framing.kind = Framing::Kind::random;
    std::vector<std::int64_t> indices(10);
    std::iota(indices.begin(), indices.end(), 0);
    return std::make_unique<Loader>(data.train, indices,
                                    Transform(data.normalisation, data.crop, framing), options);
  }

  static std::vector<Batch> all(Loader& loader, std::int64_t epoch) {
    std::vector<Batch> batches;
    loader.start(epoch);
    while (auto batch = loader.next()) batches.push_back(*batch);
    return batches;
  }

  TemporaryFolder folder;
  std::vector<std::string> skipped;
};

TEST_F(DamagedPictures, AreFatalUnlessSkipped) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    const auto loader = make(repeat % 4, /*shuffle=*/false, /*skip=*/false);
    expect_user_error([&] { all(*loader, 0); }, {"3.jpg", "neither"});
  }
}

TEST_F(DamagedPictures, AreReplacedInTrainingWhateverTheNumberOfWorkers) {
  const auto expected = all(*make(0, /*shuffle=*/true), 1);
  ASSERT_EQ(expected.size(), 2U);
  EXPECT_EQ(skipped.size(), 2U);
  for (const std::int64_t workers : {1, 3, 7}) {
    skipped.clear();
    const auto loader = make(workers, /*shuffle=*/true);
    for (int repeat = 0; repeat < 2; ++repeat) {
      const auto batches = all(*loader, 1);
      ASSERT_EQ(batches.size(), 2U);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(batches[i].images.size(0), 5);
        EXPECT_TRUE(torch::equal(batches[i].images, expected[i].images));
      }
    }
    EXPECT_EQ(skipped.size(), 2U) << "each is reported once";
  }
}

TEST_F(DamagedPictures, AreLeftOutWhereEachCounts) {
  const auto batches = all(*make(2, /*shuffle=*/false), 0);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].images.size(0), 3);
  EXPECT_EQ(batches[0].labels.size(0), 3);
  EXPECT_EQ(batches[1].images.size(0), 5);
  ASSERT_EQ(skipped.size(), 2U);
  EXPECT_NE(skipped[0].find("3.jpg"), std::string::npos);
}

TEST_F(DamagedPictures, WithNoOtherTrainingEnds) {
  for (int i = 0; i < 10; ++i) {
    write_bytes(folder / ("train/a/" + std::to_string(i) + ".jpg"), "");
  }
  EXPECT_TRUE(all(*make(2, /*shuffle=*/false), 0).empty());
  const auto loader = make(2, /*shuffle=*/true);
  expect_user_error([&] { all(*loader, 0); }, {"none of the pictures"});
}

TEST_F(DamagedPictures, AreListedByTheCheck) {
  write_bytes(folder / "val/a/cut.JPG", jpeg_file(wavy_picture(3, 60, 60)).substr(0, 700));
  write_bytes(folder / "val/a/notes.txt", "no picture");
  std::int64_t last = 0;
  const PictureCheck check =
      check_pictures(folder.path(), 3, [&](std::int64_t done, std::int64_t of) {
        EXPECT_EQ(done, ++last);
        EXPECT_EQ(of, 14);
      });
  EXPECT_EQ(check.pictures, 14);
  ASSERT_EQ(check.damaged.size(), 3U);
  EXPECT_NE(check.damaged[0].find("3.jpg"), std::string::npos);
  EXPECT_NE(check.damaged[2].find("cut.JPG: damaged JPEG"), std::string::npos);
  expect_user_error([&] { check_pictures(folder / "nowhere", 1); }, {"no folder"});
}

TEST(ImageFolder, BatchesAreOfTheWantedFormat) {
  const TemporaryFolder folder;
  write_pictures(folder.path(),
                 {"train/a/1.jpg", "train/a/2.jpg", "val/a/1.jpg", "train/b/1.jpg", "val/b/1.jpg"});
  const DataSource data = load_image_folder(folder.path(), small_pictures());
  LoaderOptions options;
  options.batch_size = 2;
  options.memory_format = torch::MemoryFormat::ChannelsLast;
  Loader loader(data.train, {0, 1}, Transform(data.normalisation, {}, data.framing), options);
  loader.start(0);
  const auto batch = loader.next();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->images.sizes(), (std::vector<std::int64_t>{2, 3, 16, 16}));
  EXPECT_TRUE(batch->images.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_LT(batch->images.abs().max().item<double>(), 3);
}

}  // namespace
}  // namespace mlaan::testing
