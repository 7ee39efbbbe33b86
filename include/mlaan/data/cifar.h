// CIFAR-10 and CIFAR-100 from their binary batches (Krizhevsky 2009).
#pragma once

#include <mlaan/data/dataset.h>

#include <string>

namespace mlaan {

/// Reads `data_batch_1.bin` … `data_batch_5.bin`, as many of them as exist, and `test_batch.bin`;
/// class names from `batches.meta.txt` if it exists. A record is one label byte and 3072 bytes: the
/// red, the green and the blue plane, 32×32 each, row by row.
/// \param folder that has the files, or has the folder `cifar-10-batches-bin` that the archive
///         unpacks to.
DataSource load_cifar10(const std::string& folder);

/// Reads `train.bin` and `test.bin`, whose records have a coarse and a fine label byte before the
/// 3072; the fine label is used. Class names from `fine_label_names.txt` if it exists.
/// \param folder that has the files, or has the folder `cifar-100-binary`.
DataSource load_cifar100(const std::string& folder);

DatasetEntry cifar10_entry();
DatasetEntry cifar100_entry();

}  // namespace mlaan
