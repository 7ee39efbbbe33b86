#include <mlaan/core/suggest.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

const std::vector<std::string> known{"epochs", "mlm.window", "mlaan", "dgl"};

TEST(Suggest, FindsTheNearestName) {
  EXPECT_EQ(nearest_name("epocs", known), "epochs");
  EXPECT_EQ(nearest_name("mlan", known), "mlaan");
  EXPECT_EQ(nearest_name("MLAAN", known), "mlaan") << "in capitals";
  EXPECT_EQ(nearest_name("mln", {"man", "mlm"}), "mlm") << "begins alike";
}

TEST(Suggest, FindsAKeyWhoseSectionWasLeftOut) {
  EXPECT_EQ(nearest_name("window", known), "mlm.window");
}

TEST(Suggest, GivesNothingForWhatIsFarFromAll) {
  EXPECT_EQ(nearest_name("photosynthesis", known), "");
}

TEST(Suggest, MessageNamesWhatIsKnown) {
  EXPECT_EQ(unknown_name("method", "mlan", {"mlaan", "dgl"}),
            "unknown method 'mlan'; did you mean 'mlaan'? Known: mlaan, dgl");
}

}  // namespace
}  // namespace mlaan::testing
