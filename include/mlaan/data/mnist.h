// MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747) from IDX files.
#pragma once

#include <mlaan/data/dataset.h>

#include <string>

namespace mlaan {

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each with or without the extension ".gz": images of 1×28×28, digits 0
/// to 9.
/// \param folder that has the files, or has the folder `MNIST/raw` that torchvision downloads to.
DataSource load_mnist(const std::string& folder);

/// Reads files of the same names with pictures of ten kinds of clothing; torchvision's folder is
/// `FashionMNIST/raw`.
DataSource load_fashion_mnist(const std::string& folder);

DatasetEntry mnist_entry();
DatasetEntry fashion_mnist_entry();

}  // namespace mlaan
