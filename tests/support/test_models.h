// The small models that tests run on, and broken or changed copies of them.
#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/engine/engine.h"
#include "core/model/safetensors.h"
#include "tests/support/temp_dir.h"

namespace ropescope::test {

using Ids = std::vector<std::int32_t>;
using EnginePtr = std::shared_ptr<const Engine>;

inline std::filesystem::path testsDir() {
  return ROPESCOPE_TESTS_DIR;
}
// 5 layers, 8 query heads, 4 key heads, trained at 512 tokens: a real model with a tokenizer.
inline std::filesystem::path storiesPath() {
  return testsDir() / "fixtures" / "stories260K";
}
// 3 layers, 4 query heads, 2 key heads, trained length 64, random: no tokenizer, sharp attention.
inline std::filesystem::path tinyPath() {
  return testsDir() / "golden" / "tiny_llama";
}
inline std::filesystem::path bookwormPath() {
  return std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "models" / "bookworm-11m";
}

inline Result<EnginePtr> tryEngine(const std::filesystem::path& model,
                                   const std::string& dtype = "float32", int threads = 1) {
  return Engine::load({.model = model, .device = "cpu", .dtype = dtype, .threads = threads}, {});
}

// Fails the test and ends the program when the model cannot be loaded: nothing else would work.
inline EnginePtr loadEngine(const std::filesystem::path& model,
                            const std::string& dtype = "float32", int threads = 1) {
  auto engine = tryEngine(model, dtype, threads);
  if (!engine) {
    ADD_FAILURE() << engine.error().message;
    std::abort();
  }
  return *std::move(engine);
}

inline std::unique_ptr<Session> newSession(const EnginePtr& engine, const SessionOptions& options) {
  auto session = engine->newSession(options);
  if (!session) {
    ADD_FAILURE() << session.error().message;
    std::abort();
  }
  return *std::move(session);
}

// The first `count` tokens of a real text in the model's own tokens, with BOS.
inline Ids storyIds(const Engine& engine, std::size_t count) {
  const auto tokenizer = engine.tokenizer();
  std::ifstream file(testsDir() / "golden" / "inputs" / "excerpt.txt", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Ids ids{(*tokenizer)->bos()};
  const Ids body = (*tokenizer)->encode(text).ids;
  ids.insert(ids.end(), body.begin(), body.end());
  EXPECT_GE(ids.size(), count);
  ids.resize(count);
  return ids;
}

// mt19937 is the same on every machine.
inline Ids randomIds(int vocabulary, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Ids ids(count);
  for (auto& id : ids) {
    id = static_cast<std::int32_t>(random() % static_cast<unsigned>(vocabulary - 3)) + 3;
  }
  return ids;
}

inline void writeText(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

inline std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()};
}

// A copy of a model folder that a test may damage.
inline std::filesystem::path copyOf(const std::filesystem::path& model, const TempDir& into) {
  const auto copy = into / model.filename().string();
  std::filesystem::copy(model, copy, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(copy)) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all,
                                 std::filesystem::perm_options::add);
  }
  return copy;
}

inline void editConfig(const std::filesystem::path& model,
                       const std::function<void(nlohmann::json&)>& edit) {
  auto json = nlohmann::json::parse(readText(model / "config.json"));
  edit(json);
  writeText(model / "config.json", json.dump());
}

// Tensors of a file as owned bytes, to be changed and written again.
struct OwnedTensor {
  StoredType type = StoredType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};
using OwnedTensors = std::map<std::string, OwnedTensor>;

inline OwnedTensors readTensors(const std::filesystem::path& path) {
  OwnedTensors tensors;
  const auto file = SafetensorsFile::open(path);
  EXPECT_TRUE(file) << file.error().message;
  for (const auto& [name, stored] : file->tensors()) {
    tensors[name] = {stored.type, stored.shape, {stored.bytes.begin(), stored.bytes.end()}};
  }
  return tensors;
}

inline void writeTensors(const std::filesystem::path& path, const OwnedTensors& tensors) {
  std::map<std::string, StoredTensor> views;
  for (const auto& [name, tensor] : tensors) {
    views[name] = {tensor.type, tensor.shape, tensor.bytes};
  }
  const Status written = writeSafetensors(path, views, {});
  ASSERT_TRUE(written) << written.error().message;
}

inline OwnedTensor float32Tensor(const std::vector<std::int64_t>& shape,
                                 const std::vector<float>& values) {
  OwnedTensor tensor{StoredType::F32, shape, {}};
  const auto bytes = std::as_bytes(std::span(values));
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

// One sentence for a person: the thing, what was found, and the cure, all named in `parts`.
inline void expectMessage(const Error& error, ErrorCode code,
                          const std::vector<std::string>& parts) {
  EXPECT_EQ(errorCodeName(error.code), errorCodeName(code)) << error.message;
  for (const std::string& part : parts) {
    EXPECT_NE(error.message.find(part), std::string::npos)
        << "wanted '" << part << "' in: " << error.message;
  }
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
  EXPECT_LT(error.message.size(), 500U) << error.message;
}

template <class Value>
void expectError(const Result<Value>& result, ErrorCode code,
                 const std::vector<std::string>& parts) {
  ASSERT_FALSE(result) << "an error about '" << (parts.empty() ? "" : parts.front())
                       << "' was expected";
  expectMessage(result.error(), code, parts);
}

}  // namespace ropescope::test
