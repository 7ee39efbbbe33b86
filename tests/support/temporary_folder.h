// A folder that is gone after the test.
#pragma once

#include "io/temporary_folder.h"

namespace mlaan::testing {

class TemporaryFolder : public mlaan::TemporaryFolder {
 public:
  TemporaryFolder() : mlaan::TemporaryFolder("test") {}
};

}  // namespace mlaan::testing
