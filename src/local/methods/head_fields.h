// Shared by methods whose nets are plain classifiers: the options of a head, and the host.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/local/host.h>
#include <mlaan/nn/heads.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// Adds the options of a head to a method's own section.
void describe_head(FieldList& fields, std::string& head, std::int64_t& feature_dim, double& widen,
                   std::string& token);

namespace methods {

/// A host whose only net is a head with the cross-entropy loss.
Host classifier_host(const HeadOptions& options);

}  // namespace methods
}  // namespace mlaan
