#include "support/errors.h"

#include <mlaan/core/term.h>

#include <gtest/gtest.h>

#include <random>

namespace mlaan::testing {
namespace {

/// Draws texts that may stand in a term.
class RandomTerms {
 public:
  explicit RandomTerms(unsigned seed) : engine_(seed) {}

  Term with_words() {
    Term term{word(), {}, {}};
    for (int i = number(4); i > 0; --i) term.words.push_back(word());
    return term;
  }

  Term with_settings() {
    Term term{word(), {}, {}};
    if (number(2) == 1) term.name += " " + word();
    for (int i = number(4); i > 0; --i) {
      term.settings.emplace_back("key" + std::to_string(i) + "." + word(), value());
    }
    return term;
  }

 private:
  int number(int below) { return static_cast<int>(engine_() % static_cast<unsigned>(below)); }

  std::string word() {
    static const std::string letters = "abcXYZ019._-/";
    std::string text;
    for (int i = 1 + number(6); i > 0; --i) {
      text += letters[static_cast<std::size_t>(number(static_cast<int>(letters.size())))];
    }
    return text;
  }

  std::string value() {
    switch (number(4)) {
      case 0:
        return "[\"" + word() + ":" + word() + ",\", [" + word() + "=1]]";
      case 1:
        return "'" + word() + "]: ,[" + word() + "'";
      case 2:
        return "";
      default:
        return word() + "=" + word();
    }
  }

  std::mt19937 engine_;
};

TEST(Term, WhatIsPrintedReadsBack) {
  RandomTerms random(0);
  for (int i = 0; i < 2000; ++i) {
    const Term words = random.with_words();
    EXPECT_EQ(parse_words(to_text(words)), words) << to_text(words);
    const Term settings = random.with_settings();
    EXPECT_EQ(parse_settings(to_text(settings), "term"), settings) << to_text(settings);
  }
}

TEST(Term, WhatIsReadPrintsTheSame) {
  for (const char* text : {"conv 3x3 32 stride 2 bias", "linear 10", "batch_norm",
                           "supervised_contrastive 0.5", "1c2f", "leap layer3.0 twin 0.995"}) {
    EXPECT_EQ(to_text(parse_words(text)), text);
  }
  for (const char* text :
       {"vit_tiny:patch=8:pool=mean", "e2e", "lam:lam.rows=[\"a b:c\", \"d\"]:modules=3",
        "plans of mine/relay.toml:lr=0.1", "plans of mine/relay.toml"}) {
    EXPECT_EQ(to_text(parse_settings(text, "method")), text);
  }
}

TEST(Term, BlanksAroundPiecesDoNotCount) {
  EXPECT_EQ(parse_words("  conv\t3x3  8 "), (Term{"conv", {"3x3", "8"}, {}}));
  EXPECT_EQ(parse_settings(" mlm : mlm.window = 3 ", "method"),
            (Term{"mlm", {}, {{"mlm.window", "3"}}}));
  EXPECT_EQ(parse_words(" ").name, "");
}

TEST(Term, WhatWouldNotReadBackIsNotPrinted) {
  const std::vector<Term> terms{{"conv", {"3 3"}, {}},
                                {"conv", {""}, {}},
                                {"", {"3"}, {}},
                                {"a b", {"3"}, {}},
                                {"name", {"word"}, {{"key", "value"}}},
                                {"name", {}, {{"key", "a:b"}}},
                                {"name", {}, {{"key", "["}}},
                                {"name", {}, {{"", "value"}}},
                                {"name", {}, {{"key", "1"}, {"key", "2"}}}};
  for (const auto& term : terms) EXPECT_THROW(to_text(term), Error) << term.name;
}

TEST(Term, FaultsAreNamed) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& parts) {
    expect_user_error([&] { parse_settings(text, "model"); }, parts);
  };
  refused("vit_tiny:patch", {"model 'vit_tiny:patch'", "'patch' is not an assignment"});
  refused("vit_tiny:=8", {"'=8' is not an assignment"});
  refused("vit_tiny:patch=8:patch=4", {"patch is given twice"});
  refused("lam:lam.rows=[1", {"bracket without its other half"});
  refused("lam:lam.rows='1", {"quote without its other half"});
}

TEST(Term, ListsArePartedAtCommas) {
  EXPECT_EQ(split_list("e2e, lam:lam.rows=[\"a, b\", 'c,']:modules=3 ,,dgl", "methods"),
            (std::vector<std::string>{"e2e", "lam:lam.rows=[\"a, b\", 'c,']:modules=3", "dgl"}));
  EXPECT_TRUE(split_list("", "methods").empty());
}

}  // namespace
}  // namespace mlaan::testing
