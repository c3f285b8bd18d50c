// The dispatcher door: any operator that libtorch knows, called by name with JavaScript values.
#pragma once
#include <cstdint>
#include <initializer_list>

#include <napi.h>

namespace clha {

// The dtypes that src/tensor/dtype.ts names, as c10::ScalarType: u8, i8, i32, i64, f16, f32, f64, bool, bf16.
inline constexpr std::initializer_list<int64_t> kDtypes = {0, 1, 3, 4, 5, 6, 7, 11, 15};

// findOperator(name, overload) -> index
Napi::Value find_operator(const Napi::CallbackInfo& info);
// schemaOf(index) -> the operator's schema, as text and as its arguments and returns
Napi::Value schema_of(const Napi::CallbackInfo& info);
// call(index, arguments[]) -> what the operator returns; tensors travel as handles
Napi::Value call_operator(const Napi::CallbackInfo& info);

// A hash of everything that the addon was made from.
const char* build_id();

// Reports tensor memory to V8 so that its collector knows what a wrapper weighs.
void report_memory(Napi::Env env);

}  // namespace clha
