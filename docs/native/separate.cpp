// Takes the piano out of a recording with a streaming TFLite file and LiteRT alone.
//
//   separate piano.stream.tflite song.wav stems
//
// writes stems/piano.wav and stems/residual.wav, as long as the recording. Every channel is a stream:
// block after block goes in, with the state that the block before gave. Reads what libsndfile reads
// (WAV, FLAC, Ogg, MP3), at the rate of the model; writes 32-bit float WAV.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sndfile.hh>

#ifdef LITERT_HEADERS
#include "litert/c/litert_compiled_model.h"
#include "litert/c/litert_environment.h"
#include "litert/c/litert_model.h"
#include "litert/c/litert_options.h"
#include "litert/c/litert_tensor_buffer.h"
#else
#include "litert_c.h"
#endif

using Samples = std::vector<float>;
using Json = nlohmann::json;

void Check(LiteRtStatus status, const std::string& what) {
  if (status != kLiteRtStatusOk) {
    throw std::runtime_error(what + " failed, LiteRT status " + std::to_string(status));
  }
}

// An input or output of the model, in memory of this program.
class Tensor {
 public:
  Tensor(const std::vector<int>& shape, LiteRtElementType type) {
    LiteRtRankedTensorType described = {};
    described.element_type = type;
    described.layout.rank = shape.size();
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      described.layout.dimensions[axis] = shape[axis];
      count_ *= shape[axis];
    }
    const size_t bytes = (4 * count_ + 63) / 64 * 64;  // LiteRT asks for multiples of 64
    memory_.reset(std::aligned_alloc(64, bytes));
    std::fill_n(data(), count_, 0.0f);
    Check(LiteRtCreateTensorBufferFromHostMemory(&described, memory_.get(), 4 * count_, nullptr,
                                                 &buffer_),
          "making a tensor");
  }
  ~Tensor() { LiteRtDestroyTensorBuffer(buffer_); }
  Tensor(const Tensor&) = delete;

  float* data() { return static_cast<float*>(memory_.get()); }
  int32_t* integers() { return static_cast<int32_t*>(memory_.get()); }
  size_t count() const { return count_; }
  LiteRtTensorBuffer buffer() const { return buffer_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  size_t count_ = 1;
  std::unique_ptr<void, Free> memory_;
  LiteRtTensorBuffer buffer_ = nullptr;
};

// A streaming file of `tfsepgan-export`: `.stream`, `.stream.fp16` or `.stream.dynamic`.
class StreamingModel {
 public:
  explicit StreamingModel(const std::string& path) {
    Check(LiteRtCreateEnvironment(0, nullptr, &environment_), "starting LiteRT");
    Check(LiteRtCreateModelFromFile(environment_, path.c_str(), &model_), "reading " + path);
    const void* text = nullptr;
    size_t size = 0;
    Check(LiteRtGetModelMetadata(model_, "tfsepgan.json", &text, &size), "describing " + path);
    facts_ = Json::parse(std::string(static_cast<const char*>(text), size));
    if (!facts_.contains("streaming") || facts_["streaming"].value("channels", 1) != 1) {
      throw std::runtime_error(path + " is not a streaming file; give NAME.stream.tflite");
    }
    Check(LiteRtCreateOptions(&options_), "making options");
    Check(LiteRtSetOptionsHardwareAccelerators(options_, kLiteRtHwAcceleratorCpu), "options");
    Check(LiteRtCreateCompiledModel(environment_, model_, options_, &compiled_), "compiling");
    MakeTensors();
  }
  ~StreamingModel() {
    tensors_.clear();
    if (compiled_) LiteRtDestroyCompiledModel(compiled_);
    if (options_) LiteRtDestroyOptions(options_);
    if (model_) LiteRtDestroyModel(model_);
    if (environment_) LiteRtDestroyEnvironment(environment_);
  }
  StreamingModel(const StreamingModel&) = delete;

  std::vector<std::string> stems() const { return facts_["stems"]; }
  int sample_rate_hz() const { return facts_["sample_rate_hz"]; }

  // One channel from its beginning to its end; each stem has as many samples.
  std::map<std::string, Samples> Separate(const Samples& mixture) {
    const size_t delay = facts_["streaming"]["delay_samples"];
    const size_t block = input("block").count();
    std::map<std::string, Samples> stems;
    std::fill_n(input("state").data(), input("state").count(), 0.0f);  // a new recording
    for (size_t first = 0; first < mixture.size() + delay; first += block) {
      const size_t begin = std::min(first, mixture.size());
      const size_t valid = std::min(block, mixture.size() - begin);
      float* samples = input("block").data();
      std::fill_n(std::copy_n(mixture.data() + begin, valid, samples), block - valid, 0.0f);
      input("valid").integers()[0] = static_cast<int32_t>(valid);
      Check(LiteRtRunCompiledModel(compiled_, 0, inputs_.size(), inputs_.data(), outputs_.size(),
                                   outputs_.data()),
            "running the model");
      std::copy_n(output("state").data(), output("state").count(), input("state").data());
      for (const std::string& stem : this->stems()) {
        stems[stem].insert(stems[stem].end(), output(stem).data(), output(stem).data() + block);
      }
    }
    for (auto& [name, stem] : stems) {  // the first samples come `delay` samples late
      stem.erase(stem.begin(), stem.begin() + delay);
      stem.resize(mixture.size());
    }
    return stems;
  }

 private:
  Tensor& input(const std::string& name) { return *tensors_.at("inputs/" + name); }
  Tensor& output(const std::string& name) { return *tensors_.at("outputs/" + name); }

  void MakeTensors() {
    LiteRtSignature signature = nullptr;
    Check(LiteRtGetModelSignature(model_, 0, &signature), "finding the signature");
    LiteRtParamIndex inputs = 0, outputs = 0;
    Check(LiteRtGetNumSignatureInputs(signature, &inputs), "counting the inputs");
    Check(LiteRtGetNumSignatureOutputs(signature, &outputs), "counting the outputs");
    const char* name = nullptr;
    for (LiteRtParamIndex index = 0; index < inputs; ++index) {
      Check(LiteRtGetSignatureInputName(signature, index, &name), "naming the inputs");
      inputs_.push_back(MakeTensor("inputs", name));
    }
    for (LiteRtParamIndex index = 0; index < outputs; ++index) {
      Check(LiteRtGetSignatureOutputName(signature, index, &name), "naming the outputs");
      outputs_.push_back(MakeTensor("outputs", name));
    }
  }

  LiteRtTensorBuffer MakeTensor(const std::string& side, const std::string& name) {
    const bool whole = name == "valid";
    const auto type = whole ? kLiteRtElementTypeInt32 : kLiteRtElementTypeFloat32;
    auto& tensor = tensors_[side + "/" + name];
    tensor = std::make_unique<Tensor>(facts_["signatures"]["stream"][side][name], type);
    return tensor->buffer();
  }

  Json facts_;
  LiteRtEnvironment environment_ = nullptr;
  LiteRtModel model_ = nullptr;
  LiteRtOptions options_ = nullptr;
  LiteRtCompiledModel compiled_ = nullptr;
  std::map<std::string, std::unique_ptr<Tensor>> tensors_;
  std::vector<LiteRtTensorBuffer> inputs_, outputs_;  // in the order of the signature
};

void SeparateFile(const std::string& path, const std::string& song, const std::string& folder) {
  SndfileHandle recording(song);
  if (recording.error()) throw std::runtime_error(song + ": " + recording.strError());
  StreamingModel model(path);
  if (recording.samplerate() != model.sample_rate_hz()) {
    throw std::runtime_error(song + " has " + std::to_string(recording.samplerate()) +
                             " Hz; resample it to " + std::to_string(model.sample_rate_hz()));
  }
  const size_t channels = recording.channels(), frames = recording.frames();
  Samples mixture(frames * channels);
  recording.readf(mixture.data(), frames);

  std::map<std::string, Samples> files;  // interleaved, as the recording
  for (const std::string& stem : model.stems()) files[stem].resize(frames * channels);
  for (size_t channel = 0; channel < channels; ++channel) {
    Samples one(frames);
    for (size_t i = 0; i < frames; ++i) one[i] = mixture[i * channels + channel];
    for (const auto& [stem, samples] : model.Separate(one)) {
      for (size_t i = 0; i < frames; ++i) files[stem][i * channels + channel] = samples[i];
    }
  }
  std::filesystem::create_directories(folder);
  for (const auto& [stem, samples] : files) {
    SndfileHandle file(folder + "/" + stem + ".wav", SFM_WRITE, SF_FORMAT_WAV | SF_FORMAT_FLOAT,
                       recording.channels(), recording.samplerate());
    if (file.writef(samples.data(), frames) != recording.frames()) {
      throw std::runtime_error("could not write " + folder + "/" + stem + ".wav");
    }
  }
}

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: separate MODEL.stream.tflite RECORDING FOLDER\n";
    return 2;
  }
  try {
    SeparateFile(arguments[1], arguments[2], arguments[3]);
  } catch (const std::exception& error) {
    std::cerr << "separate: " << error.what() << "\n";
    return 1;
  }
}
