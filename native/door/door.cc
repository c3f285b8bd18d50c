// JavaScript values <-> IValues, as an operator's schema says.
#include "door/door.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include "runtime/devices.h"
#include "door/handles.h"

namespace clha {
namespace {

using c10::IValue;
using c10::TypeKind;

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
};

std::vector<Operator>& operators() {
  static auto* list = new std::vector<Operator>();
  return *list;
}

[[noreturn]] void mismatch(const std::string& expected) { throw std::invalid_argument("expected " + expected); }

double number(const Napi::Value& v, const char* what) {
  if (!v.IsNumber()) mismatch(what);
  return v.As<Napi::Number>().DoubleValue();
}

int64_t integer(const Napi::Value& v) {
  const double d = number(v, "an integer");
  if (d != std::floor(d) || std::abs(d) > 9007199254740991.0) mismatch("an integer");
  return static_cast<int64_t>(d);
}

// An enumeration travels as its number; libtorch does not check what it is given.
int64_t one_of(const Napi::Value& v, std::initializer_list<int64_t> known, const char* what) {
  const int64_t given = integer(v);
  if (std::find(known.begin(), known.end(), given) == known.end()) mismatch(what);
  return given;
}

bool absent(const Napi::Value& v) { return v.IsUndefined() || v.IsNull(); }

IValue from_js(const Napi::Value& v, const c10::Type& type);

IValue list_from_js(const Napi::Value& v, const c10::Type& type) {
  if (!v.IsArray()) mismatch("an array");
  const auto array = v.As<Napi::Array>();
  const auto element = type.castRaw<c10::ListType>()->getElementType();
  c10::impl::GenericList list(element->kind() == TypeKind::SymIntType ? c10::TypePtr(c10::IntType::get()) : element);
  list.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) list.push_back(from_js(array.Get(i), *element));
  switch (element->kind()) {  // typed lists are what unboxed kernels take
    case TypeKind::TensorType: return IValue(c10::impl::toTypedList<at::Tensor>(std::move(list)));
    case TypeKind::SymIntType:
    case TypeKind::IntType: return IValue(c10::impl::toTypedList<int64_t>(std::move(list)));
    case TypeKind::FloatType: return IValue(c10::impl::toTypedList<double>(std::move(list)));
    case TypeKind::BoolType: return IValue(c10::impl::toTypedList<bool>(std::move(list)));
    default: return IValue(std::move(list));
  }
}

IValue from_js(const Napi::Value& v, const c10::Type& type) {
  switch (type.kind()) {
    case TypeKind::OptionalType:
      return absent(v) ? IValue() : from_js(v, *type.castRaw<c10::OptionalType>()->getElementType());
    case TypeKind::TensorType: return IValue(at_handle(number(v, "a tensor")));
    case TypeKind::IntType:
    case TypeKind::SymIntType: return IValue(integer(v));
    case TypeKind::ScalarTypeType: return IValue(one_of(v, kDtypes, "a dtype"));
    case TypeKind::LayoutType: return IValue(one_of(v, {0}, "the strided layout, 0"));
    case TypeKind::MemoryFormatType: return IValue(one_of(v, {0, 1, 2, 3}, "a memory format, 0 to 3"));
    case TypeKind::FloatType: return IValue(number(v, "a number"));
    case TypeKind::BoolType:
      if (!v.IsBoolean()) mismatch("a boolean");
      return IValue(v.As<Napi::Boolean>().Value());
    case TypeKind::NumberType: {
      if (v.IsBoolean()) return IValue(v.As<Napi::Boolean>().Value());
      const double d = number(v, "a number");
      // JavaScript has one number type: whole numbers travel as integers, which every dtype takes.
      if (d == std::floor(d) && std::abs(d) <= 9007199254740991.0) return IValue(static_cast<int64_t>(d));
      return IValue(d);
    }
    case TypeKind::StringType:
      if (!v.IsString()) mismatch("a string");
      return IValue(v.As<Napi::String>().Utf8Value());
    case TypeKind::DeviceObjType:
      if (!v.IsString()) mismatch("a device name");
      return IValue(device_named(v.As<Napi::String>().Utf8Value()));
    case TypeKind::GeneratorType: return IValue(generator_at(number(v, "a generator")));
    case TypeKind::ListType: return list_from_js(v, type);
    default: mismatch("a value of type " + type.str() + ", which this door does not carry");
  }
}

Napi::Value to_js(Napi::Env env, const IValue& value);

template <typename List>
Napi::Value list_to_js(Napi::Env env, const List& list) {
  auto out = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); i++) out.Set(i, to_js(env, IValue(list[i])));
  return out;
}

Napi::Value to_js(Napi::Env env, const IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() ? Napi::Value(Napi::Number::New(env, hold(tensor))) : env.Null();
  }
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isNone()) return env.Null();
  if (value.isScalar()) return Napi::Number::New(env, value.toScalar().toDouble());
  if (value.isTuple()) return list_to_js(env, value.toTupleRef().elements());
  if (value.isList()) {
    const auto list = value.toListRef();
    return list_to_js(env, list);
  }
  throw std::runtime_error("the operator returned a " + value.tagKind() + ", which this door does not carry");
}

Operator& operator_at(const Napi::Value& index) {
  const int64_t i = integer(index);
  if (i < 0 || i >= static_cast<int64_t>(operators().size())) mismatch("an operator that findOperator returned");
  return operators()[i];
}

}  // namespace

void report_memory(Napi::Env env) {
  if (const int64_t change = take_unreported_bytes()) Napi::MemoryManagement::AdjustExternalMemory(env, change);
}

Napi::Value find_operator(const Napi::CallbackInfo& info) {
  const std::string name = info[0].ToString();
  const std::string overload = info.Length() > 1 ? info[1].ToString().Utf8Value() : "";
  const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!found) throw std::invalid_argument("libtorch has no operator " + name + (overload.empty() ? "" : "." + overload));
  operators().push_back({*found, name});
  return Napi::Number::New(info.Env(), static_cast<double>(operators().size() - 1));
}

Napi::Value schema_of(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto& schema = operator_at(info[0]).handle.schema();
  const auto describe = [&](const c10::Argument& a) {
    auto o = Napi::Object::New(env);
    o.Set("name", a.name());
    o.Set("type", a.real_type()->str());
    o.Set("optional", a.default_value().has_value());
    return o;
  };
  auto arguments = Napi::Array::New(env);
  for (const auto& a : schema.arguments()) arguments.Set(arguments.Length(), describe(a));
  auto returns = Napi::Array::New(env);
  for (const auto& r : schema.returns()) returns.Set(returns.Length(), describe(r));
  auto out = Napi::Object::New(env);
  out.Set("text", c10::toString(schema));
  out.Set("arguments", arguments);
  out.Set("returns", returns);
  return out;
}

Napi::Value call_operator(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const Operator op = operator_at(info[0]);
  if (!info[1].IsArray()) mismatch("an array of arguments");
  const auto given = info[1].As<Napi::Array>();
  const auto& declared = op.handle.schema().arguments();
  if (given.Length() > declared.size()) {
    throw std::invalid_argument(op.name + " takes " + std::to_string(declared.size()) + " arguments");
  }
  torch::jit::Stack stack;
  stack.reserve(declared.size());
  for (size_t i = 0; i < declared.size(); i++) {
    const Napi::Value v = i < given.Length() ? given.Get(static_cast<uint32_t>(i)) : env.Undefined();
    try {
      if (v.IsUndefined() && declared[i].default_value()) {
        stack.push_back(*declared[i].default_value());
      } else {
        stack.push_back(from_js(v, *declared[i].real_type()));
      }
    } catch (const c10::Error& e) {
      throw std::invalid_argument(op.name + ": argument \"" + declared[i].name() + "\": " + e.what_without_backtrace());
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument(op.name + ": argument \"" + declared[i].name() + "\": " + e.what());
    }
  }
  try {
    op.handle.callBoxed(&stack);
  } catch (const c10::Error& e) {
    throw std::runtime_error(op.name + ": " + e.what_without_backtrace());
  }
  report_memory(env);
  if (stack.empty()) return env.Undefined();
  if (stack.size() == 1) return to_js(env, stack[0]);
  return list_to_js(env, stack);
}

}  // namespace clha
