// Computes the checksums of files that publishers state.
#include <mlaan/core/error.h>
#include <mlaan/io/checksum.h>

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <system_error>
#include <vector>

namespace mlaan {

std::string file_checksum(const std::filesystem::path& path, const std::string& algorithm) {
  const EVP_MD* kind = algorithm == "md5"      ? EVP_md5()
                       : algorithm == "sha256" ? EVP_sha256()
                                               : nullptr;
  if (kind == nullptr) {
    throw UserError("unknown kind of checksum '" + algorithm + "'; known: md5, sha256");
  }
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || !std::filesystem::is_regular_file(path, error)) {
    throw UserError("cannot read " + path.string());
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) {
    throw Error("OpenSSL does not compute " + algorithm + " checksums here");
  }
  std::vector<char> buffer(std::size_t{1} << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) throw UserError("cannot read all of " + path.string());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  std::string text = algorithm + ":";
  for (unsigned i = 0; i < length; ++i) {
    constexpr const char* digits = "0123456789abcdef";
    text += digits[digest.at(i) / 16];
    text += digits[digest.at(i) % 16];
  }
  return text;
}

}  // namespace mlaan
