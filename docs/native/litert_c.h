// The part of LiteRT's C interface that separate.cpp uses, for LiteRT 2.1.6 and newer.
//
// The Python package ai-edge-litert holds the library, but no headers. With the headers of LiteRT's
// own C++ SDK (-DLITERT_HEADERS=DIR), separate.cpp includes those and not this file.

#ifndef TFSEPGAN_LITERT_C_H_
#define TFSEPGAN_LITERT_C_H_

#include <cstddef>
#include <cstdint>

extern "C" {

typedef class LiteRtEnvironmentT* LiteRtEnvironment;
typedef class LiteRtModelT* LiteRtModel;
typedef class LiteRtSignatureT* LiteRtSignature;
typedef class LiteRtOptionsT* LiteRtOptions;
typedef class LiteRtCompiledModelT* LiteRtCompiledModel;
typedef class LiteRtTensorBufferT* LiteRtTensorBuffer;

typedef size_t LiteRtParamIndex;
typedef int LiteRtHwAcceleratorSet;

enum LiteRtStatus : int { kLiteRtStatusOk = 0 };
enum LiteRtHwAccelerators : int { kLiteRtHwAcceleratorCpu = 1 };
enum LiteRtElementType : int { kLiteRtElementTypeFloat32 = 1, kLiteRtElementTypeInt32 = 2 };

struct LiteRtLayout {
  unsigned int rank : 7;
  unsigned int has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
};

struct LiteRtRankedTensorType {
  LiteRtElementType element_type;
  LiteRtLayout layout;
};

struct LiteRtEnvOption;  // none is given

LiteRtStatus LiteRtCreateEnvironment(int count, const LiteRtEnvOption* options,
                                     LiteRtEnvironment* made);
LiteRtStatus LiteRtCreateModelFromFile(LiteRtEnvironment, const char* path, LiteRtModel* made);
LiteRtStatus LiteRtGetModelMetadata(LiteRtModel, const char* name, const void** bytes,
                                    size_t* size);
LiteRtStatus LiteRtGetModelSignature(LiteRtModel, LiteRtParamIndex, LiteRtSignature* found);
LiteRtStatus LiteRtGetNumSignatureInputs(LiteRtSignature, LiteRtParamIndex* count);
LiteRtStatus LiteRtGetNumSignatureOutputs(LiteRtSignature, LiteRtParamIndex* count);
LiteRtStatus LiteRtGetSignatureInputName(LiteRtSignature, LiteRtParamIndex, const char** name);
LiteRtStatus LiteRtGetSignatureOutputName(LiteRtSignature, LiteRtParamIndex, const char** name);
LiteRtStatus LiteRtCreateOptions(LiteRtOptions* made);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions, LiteRtHwAcceleratorSet);
LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment, LiteRtModel, LiteRtOptions,
                                       LiteRtCompiledModel* made);
LiteRtStatus LiteRtCreateTensorBufferFromHostMemory(const LiteRtRankedTensorType*, void* memory,
                                                    size_t bytes, void (*release)(void*),
                                                    LiteRtTensorBuffer* made);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel, LiteRtParamIndex signature,
                                    size_t input_count, LiteRtTensorBuffer* inputs,
                                    size_t output_count, LiteRtTensorBuffer* outputs);

void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel);
void LiteRtDestroyOptions(LiteRtOptions);
void LiteRtDestroyModel(LiteRtModel);
void LiteRtDestroyEnvironment(LiteRtEnvironment);

}  // extern "C"

#endif  // TFSEPGAN_LITERT_C_H_
