// Every way in which a model folder can be wrong, in one sentence each.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/engine/engine.h"
#include "core/model/model_config.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using nlohmann::json;

const std::string kQuery = "model.layers.1.self_attn.q_proj.weight";

class ModelLoading : public testing::Test {
 protected:
  ModelLoading() : model(copyOf(tinyPath(), temp)) {}

  void refused(ErrorCode code, const std::vector<std::string>& parts,
               const std::string& dtype = "float32") {
    expectError(tryEngine(model, dtype), code, parts);
  }
  void config(const std::function<void(json&)>& edit) {
    std::filesystem::copy_file(tinyPath() / "config.json", model / "config.json",
                               std::filesystem::copy_options::overwrite_existing);
    editConfig(model, edit);
  }
  void tensors(const std::function<void(OwnedTensors&)>& edit) {
    auto all = readTensors(tinyPath() / "model.safetensors");
    edit(all);
    writeTensors(model / "model.safetensors", all);
  }

  TempDir temp;
  std::filesystem::path model;
};

// --- the folder ---------------------------------------------------------------------------------

TEST_F(ModelLoading, ASoundModelLoads) {
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->config().kvHeads, 2);
  EXPECT_EQ((*engine)->device(), "cpu");
  EXPECT_EQ((*engine)->dtype(), "float32");
  EXPECT_EQ((*engine)->modelHash().size(), 64U);
  EXPECT_EQ((*engine)->kvBytesPerToken(), 2 * 3 * 2 * 16 * 4);
}

TEST_F(ModelLoading, AMissingFolderOrFileIsNamed) {
  expectError(tryEngine(temp / "nowhere"), ErrorCode::NotFound,
              {"nowhere", "not a folder", "config.json"});
  std::filesystem::remove(model / "model.safetensors");
  refused(ErrorCode::NotFound, {"neither model.safetensors", "Hugging Face"});
  std::filesystem::remove(model / "config.json");
  refused(ErrorCode::NotFound, {"config.json"});
}

TEST_F(ModelLoading, WithoutATokenizerIdsStillWork) {
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine);
  expectError((*engine)->tokenizer(), ErrorCode::NotFound, {"tokenizer.model", "--tokens"});
  EXPECT_TRUE(newSession(*engine, {.contextTokens = 8})->prefill({{5, 6, 7}}, {}));
}

TEST_F(ModelLoading, AGarbageTokenizerIsKeptAsItsError) {
  writeText(model / "tokenizer.model", "garbage");
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  expectError((*engine)->tokenizer(), ErrorCode::CorruptFile, {"not a SentencePiece model"});
}

TEST_F(ModelLoading, ATokenizerOfAnotherModelIsRefusedButIdsStillWork) {
  std::filesystem::copy_file(storiesPath() / "tokenizer.model", model / "tokenizer.model");
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  expectError((*engine)->tokenizer(), ErrorCode::CorruptFile,
              {"512 pieces", "128", "do not belong together", "--tokens"});
  EXPECT_TRUE(newSession(*engine, {.contextTokens = 8})->prefill({{5, 6, 7}}, {}));
}

TEST_F(ModelLoading, ABadPromptFormatIsNamed) {
  writeText(model / "prompt_format.json", "{\"document\": 1}");
  refused(ErrorCode::CorruptFile, {"prompt_format.json", "'document'"});
}

// --- config.json --------------------------------------------------------------------------------

TEST_F(ModelLoading, AConfigThatIsNoJsonIsNamed) {
  for (const char* text : {"", "{", "[1]", "\xFF\xFE"}) {
    writeText(model / "config.json", text);
    refused(ErrorCode::CorruptFile, {"config.json", "not a JSON object"});
  }
}

TEST_F(ModelLoading, UnknownArchitecturesAreNamed) {
  config([](json& c) { c["architectures"] = {"MambaForCausalLM"}; });
  refused(ErrorCode::Unsupported, {"MambaForCausalLM", "known here", "LlamaForCausalLM"});
  config([](json& c) {
    c.erase("architectures");
    c["model_type"] = "mamba";
  });
  refused(ErrorCode::Unsupported, {"'mamba'", "LlamaForCausalLM"});
  config([](json& c) {
    c.erase("architectures");
    c["model_type"] = 3;
  });
  refused(ErrorCode::Unsupported, {"known here"});
  config([](json& c) { c.erase("architectures"); });  // model_type alone is enough
  EXPECT_TRUE(tryEngine(model));
}

TEST_F(ModelLoading, WrongFieldsAreNamed) {
  const auto wrong = [&](const char* field, const json& value, ErrorCode code,
                         std::vector<std::string> parts) {
    SCOPED_TRACE(std::string(field) + " = " + value.dump());
    config([&](json& c) { c[field] = value; });
    parts.push_back("config.json");
    refused(code, parts);
  };
  const auto corrupt = ErrorCode::CorruptFile;
  wrong("num_hidden_layers", "three", corrupt,
        {"'num_hidden_layers'", "\"three\"", "whole number"});
  wrong("num_hidden_layers", 0, corrupt, {"'num_hidden_layers' is 0"});
  wrong("hidden_size", -64, corrupt, {"'hidden_size' is -64"});
  wrong("vocab_size", 1e9, corrupt, {"'vocab_size'"});
  wrong("vocab_size", std::int64_t{1} << 40, corrupt, {"'vocab_size' is 1099511627776"});
  wrong("vocab_size", std::numeric_limits<std::uint64_t>::max(), corrupt, {"'vocab_size'"});
  wrong("num_key_value_heads", 3, corrupt, {"4 query heads", "3 key/value heads"});
  wrong("num_key_value_heads", 0, corrupt, {"0 key/value heads"});
  wrong("num_key_value_heads", (std::int64_t{1} << 32) + 2, corrupt, {"4294967298"});
  wrong("head_dim", (std::int64_t{1} << 32) + 16, corrupt, {"'head_dim'", "4294967312"});
  wrong("head_dim", -16, corrupt, {"'head_dim'", "-16"});
  wrong("head_dim", 15, corrupt, {"'head_dim'", "15", "even"});
  wrong("tie_word_embeddings", "yes", corrupt, {"'tie_word_embeddings'", "true or false"});
  wrong("rms_norm_eps", "small", corrupt, {"'rms_norm_eps'", "number"});
  wrong("max_position_embeddings", 1, corrupt, {"trained length is 1"});
  wrong("max_position_embeddings", "long", corrupt, {"'max_position_embeddings'"});
  wrong("eos_token_id", json::array({2, "end"}), corrupt, {"'eos_token_id' is a list of 2"});
  wrong("eos_token_id", "</s>", corrupt, {"eos_token_id", "</s>"});
  wrong("eos_token_id", std::int64_t{1} << 40, corrupt, {"eos_token_id", "1099511627776"});
  wrong("bos_token_id", -1, corrupt, {"bos_token_id", "-1"});
  wrong("eos_token_id", 100000, corrupt, {"eos_token_id", "100000", "vocabulary has 128"});
  wrong("hidden_act", "gelu", ErrorCode::Unsupported, {"'hidden_act'", "gelu", "silu"});
  wrong("partial_rotary_factor", 0.5, ErrorCode::Unsupported, {"partial_rotary_factor", "0.5"});
  wrong("rope_parameters", "yarn", corrupt, {"'rope_parameters'", "object"});
  config([](json& c) { c.erase("hidden_size"); });
  refused(corrupt, {"'hidden_size' is missing"});
}

TEST_F(ModelLoading, WrongRopeBlocksAreNamed) {
  const auto wrong = [&](const json& block, ErrorCode code, std::vector<std::string> parts) {
    SCOPED_TRACE(block.dump());
    config([&](json& c) { c["rope_parameters"] = block; });
    parts.push_back("config.json");
    refused(code, parts);
  };
  wrong({{"rope_type", "spiral"}}, ErrorCode::Unsupported, {"'spiral'", "known here", "yarn"});
  wrong({{"rope_type", 3}}, ErrorCode::CorruptFile, {"'rope_type' is 3"});
  wrong({{"rope_type", "default"}, {"rope_theta", -5}}, ErrorCode::CorruptFile,
        {"'rope_theta' is -5", "above 1"});
  wrong({{"rope_type", "linear"}}, ErrorCode::CorruptFile, {"no 'factor'"});
  wrong({{"rope_type", "linear"}, {"factor", "4"}}, ErrorCode::CorruptFile, {"'factor'", "\"4\""});
  wrong({{"rope_type", "yarn"}, {"factor", 4}, {"beta_fast", "fast"}}, ErrorCode::CorruptFile,
        {"'beta_fast'", "fast"});
  wrong({{"rope_type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 1.5}},
        ErrorCode::CorruptFile, {"original_max_position_embeddings"});
  // The old spelling too.
  config([](json& c) {
    c.erase("rope_parameters");
    c["rope_scaling"] = {{"type", "spiral"}, {"factor", 2.0}};
  });
  refused(ErrorCode::Unsupported, {"'spiral'"});
}

TEST_F(ModelLoading, ANullRopeTypeIsAbsent) {
  config([](json& c) {
    c["rope_parameters"] = {{"rope_type", nullptr}, {"type", "linear"}, {"factor", 4.0}};
  });
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->config().rope.id, "pi");
}

// The default choice of a LongRoPE model holds the config's lists; a file that is given beside it
// must not be ignored.
TEST_F(ModelLoading, AFactorFileReplacesTheConfigsFactors) {
  const std::vector<double> own{1.0, 1.3, 1.9, 2.6, 3.2, 3.6, 4.1, 4.5};
  config([&](json& c) {
    c["rope_parameters"] = {
        {"rope_type", "longrope"}, {"factor", 4.0},
        {"long_factor", own},      {"short_factor", std::vector<double>(8, 1.0)},
        {"attention_factor", 3.0}, {"original_max_position_embeddings", 64}};
  });
  writeText(temp / "f.csv", "1,9,9,9,9,9,9,9");
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  rope::MethodChoice choice = (*engine)->config().rope;
  const auto before = (*engine)->plan(choice, 200);
  choice.values["factors"] = (temp / "f.csv").string();
  const auto after = (*engine)->plan(choice, 200);
  ASSERT_TRUE(before) << before.error().message;
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_DOUBLE_EQ(before->invFreq[0], after->invFreq[0]);
  for (std::size_t pair = 1; pair < 8; ++pair) {
    EXPECT_NEAR(after->invFreq[pair] * 9.0, before->invFreq[pair] * own[pair], 1e-15) << pair;
  }
  EXPECT_EQ(before->attentionFactor, 3.0);
  EXPECT_NE(after->attentionFactor, 3.0);
  choice.values["long_factor"] = std::vector<double>(8, 2.0);  // said by a person: stands
  EXPECT_NEAR((*engine)->plan(choice, 200)->invFreq[0] * 2.0, before->invFreq[0], 1e-15);
}

// Read as it stands; refused where it is used.
TEST_F(ModelLoading, AFactorBelowOneInTheConfigIsRefusedBySessions) {
  config([](json& c) { c["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 0.5}}; });
  const auto engine = tryEngine(model);
  ASSERT_TRUE(engine) << engine.error().message;
  expectError((*engine)->newSession({.rope = (*engine)->config().rope, .contextTokens = 16}),
              ErrorCode::InvalidArgument,
              {"config.json asks for pi", "factor is 0.5", "1 or larger", "--rope"});
}

TEST_F(ModelLoading, UnknownRopeKeysAndTensorsAreWarnings) {
  config([](json& c) {
    c["rope_parameters"] = {{"rope_type", "yarn"}, {"factor", 4.0}, {"spin", 2}};
  });
  tensors([](OwnedTensors& all) { all["model.extra.weight"] = float32Tensor({1}, {1}); });
  std::vector<std::string> warned;
  const auto engine = Engine::load({.model = model,
                                    .device = "cpu",
                                    .log =
                                        [&](LogLevel level, const std::string& text) {
                                          if (level == LogLevel::Warning) warned.push_back(text);
                                        }},
                                   {});
  ASSERT_TRUE(engine) << engine.error().message;
  ASSERT_EQ(warned.size(), 2U);
  EXPECT_NE(warned[0].find("'spin'"), std::string::npos);
  EXPECT_NE(warned[1].find("'model.extra.weight'"), std::string::npos);
}

// --- tensors ------------------------------------------------------------------------------------

TEST_F(ModelLoading, AMissingTensorIsNamed) {
  tensors([](OwnedTensors& all) { all.erase(kQuery); });
  refused(ErrorCode::CorruptFile, {"'" + kQuery + "' is missing", "[64, 64]"});
}

TEST_F(ModelLoading, AWrongShapeIsNamedWithBoth) {
  tensors([](OwnedTensors& all) { all.at(kQuery).shape = {32, 128}; });
  refused(ErrorCode::CorruptFile, {kQuery, "[32, 128]", "[64, 64]"});
  config([](json& c) { c["hidden_size"] = 32; });
  refused(ErrorCode::CorruptFile, {"model.embed_tokens.weight", "[128, 64]", "[128, 32]"});
}

TEST_F(ModelLoading, AnUntiedHeadIsAskedFor) {
  config([](json& c) { c["tie_word_embeddings"] = false; });
  refused(ErrorCode::CorruptFile, {"'lm_head.weight' is missing"});
}

TEST_F(ModelLoading, ABiasIsAskedFor) {
  config([](json& c) { c["attention_bias"] = true; });
  refused(ErrorCode::CorruptFile, {"q_proj.bias' is missing"});
}

TEST_F(ModelLoading, NanAndInfinityAreReportedWithTheirTensor) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    tensors([&](OwnedTensors& all) {
      auto& bytes = all.at(kQuery).bytes;
      std::memcpy(bytes.data() + bytes.size() - sizeof bad, &bad, sizeof bad);
    });
    refused(ErrorCode::CorruptFile, {kQuery, "NaN or infinity", "download"});
    refused(ErrorCode::CorruptFile, {kQuery, "NaN or infinity"}, "bfloat16");
  }
}

TEST_F(ModelLoading, AnIntegerTensorIsUnsupported) {
  std::string file = readText(tinyPath() / "model.safetensors");
  const auto at = file.find("\"F32\"");
  file.replace(at, 5, "\"I32\"");
  writeText(model / "model.safetensors", file);
  refused(ErrorCode::Unsupported, {"model.safetensors", "stored as I32"});
}

// The format promises no alignment: the data may begin at any byte.
TEST_F(ModelLoading, MisalignedTensorsAreRead) {
  const std::string file = readText(tinyPath() / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  const std::uint64_t longer = length + 1;
  writeText(model / "model.safetensors", std::string(reinterpret_cast<const char*>(&longer), 8) +
                                             file.substr(8, length) + " " +
                                             file.substr(8 + length));
  const Ids ids = randomIds(128, 60, 1);
  const auto moved = newSession(loadEngine(model), {.contextTokens = 60})->score(ids, {}, {});
  const auto plain = newSession(loadEngine(tinyPath()), {.contextTokens = 60})->score(ids, {}, {});
  ASSERT_TRUE(moved && plain);
  EXPECT_EQ(moved->nll, plain->nll);
}

// --- shards -------------------------------------------------------------------------------------

class ShardedModel : public testing::Test {
 protected:
  ShardedModel() : model(copyOf(testsDir() / "golden" / "tiny_llama_bias", temp)) {}
  void refused(ErrorCode code, const std::vector<std::string>& parts) {
    expectError(tryEngine(model), code, parts);
  }
  void index(const std::function<void(json&)>& edit) {
    auto content = json::parse(readText(model / "model.safetensors.index.json"));
    edit(content["weight_map"]);
    writeText(model / "model.safetensors.index.json", content.dump());
  }
  TempDir temp;
  std::filesystem::path model;
  std::string second = "model-00002-of-00002.safetensors";
};

TEST_F(ShardedModel, Loads) {
  const auto engine = tryEngine(model);
  EXPECT_TRUE(engine) << engine.error().message;
}

TEST_F(ShardedModel, AMissingShardIsNamedWithATensorOfIt) {
  std::filesystem::remove(model / second);
  refused(ErrorCode::NotFound, {second, "is missing", "Download the shard", ".weight"});
}

TEST_F(ShardedModel, ATruncatedShardIsNamed) {
  const std::string whole = readText(model / second);
  writeText(model / second, whole.substr(0, whole.size() - 100));
  refused(ErrorCode::CorruptFile, {second, "download the file again"});
  writeText(model / second, "");
  refused(ErrorCode::CorruptFile, {second, "empty"});
}

TEST_F(ShardedModel, ABadIndexIsNamed) {
  const std::string good = readText(model / "model.safetensors.index.json");
  for (const char* text : {"{", "[]"}) {
    writeText(model / "model.safetensors.index.json", text);
    refused(ErrorCode::CorruptFile, {"model.safetensors.index.json", "not a JSON object"});
  }
  for (const char* text : {"{}", R"({"weight_map": []})"}) {
    writeText(model / "model.safetensors.index.json", text);
    refused(ErrorCode::CorruptFile, {"model.safetensors.index.json", "weight_map"});
  }
  for (const json& place : {json(3), json("../secret.safetensors"), json("")}) {
    writeText(model / "model.safetensors.index.json", good);
    index([&](json& map) { map.begin().value() = place; });
    refused(ErrorCode::CorruptFile, {"no file name in this folder"});
  }
}

TEST_F(ShardedModel, ATensorInTwoShardsIsNamed) {
  auto first = readTensors(model / "model-00001-of-00002.safetensors");
  auto other = readTensors(model / second);
  first.insert(*other.begin());
  writeTensors(model / "model-00001-of-00002.safetensors", first);
  refused(ErrorCode::CorruptFile, {other.begin()->first, "in two shards"});
}

// --- device and type ----------------------------------------------------------------------------

TEST(Placement, Float16IsRefusedOnACpuWithTheCure) {
  expectError(tryEngine(tinyPath(), "float16"), ErrorCode::Unsupported,
              {"float16", "--dtype float32", "bfloat16"});
}

TEST(Placement, UnknownNamesAreRefused) {
  expectError(tryEngine(tinyPath(), "int8"), ErrorCode::InvalidArgument, {"'int8'", "bfloat16"});
  for (const char* device : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:0x", ""}) {
    expectError(Engine::load({.model = tinyPath(), .device = device}, {}),
                ErrorCode::InvalidArgument, {std::string("'") + device + "'", "cuda:N"});
  }
}

TEST(Placement, CudaWithoutAGpuIsRefusedAndAutoTakesTheCpu) {
  const auto automatic = Engine::load({.model = tinyPath(), .device = "auto"}, {});
  ASSERT_TRUE(automatic) << automatic.error().message;
  if ((*automatic)->device() != "cpu") GTEST_SKIP() << "a GPU is here";
  for (const char* device : {"cuda", "cuda:0", "cuda:7"}) {
    expectError(Engine::load({.model = tinyPath(), .device = device}, {}), ErrorCode::Device,
                {std::string("'") + device + "'", "no usable NVIDIA GPU", "--device cpu"});
  }
}

TEST(Placement, ThreadsAreChecked) {
  for (const int threads : {-1, 100000}) {
    expectError(tryEngine(tinyPath(), "float32", threads), ErrorCode::InvalidArgument,
                {"threads is " + std::to_string(threads)});
  }
}

TEST(Placement, LoadingCanBeStopped) {
  std::stop_source source;
  source.request_stop();
  JobControl job;
  job.stop = source.get_token();
  expectError(Engine::load({.model = tinyPath(), .device = "cpu"}, job), ErrorCode::Cancelled,
              {"loading the model was stopped"});
}

// --- the hash -----------------------------------------------------------------------------------

TEST_F(ModelLoading, TheHashIsOfConfigAndHeaders) {
  const std::string before = loadEngine(tinyPath())->modelHash();
  EXPECT_EQ(loadEngine(model)->modelHash(), before);  // another folder, the same model
  config([](json& c) { c["rms_norm_eps"] = 2e-5; });
  EXPECT_NE(loadEngine(model)->modelHash(), before);
}

}  // namespace
}  // namespace ropescope
