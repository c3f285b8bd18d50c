#include "cpu/level.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "cpu/loops.h"

namespace clha {

extern const Loops loops_default;
#ifdef CLHA_X86_LEVELS
extern const Loops loops_avx2, loops_avx512;
#endif

namespace {

struct Entry {
  const char* name;
  const Loops* loops;
  // What ATen's, oneDNN's and MKL's own variables say for it
  const char *aten, *one_dnn, *mkl;
};

const Entry kLevels[] = {
    {"default", &loops_default, "default", "SSE41", "SSE4_2"},
#ifdef CLHA_X86_LEVELS
    {"avx2", &loops_avx2, "avx2", "AVX2", "AVX2"},
    {"avx512", &loops_avx512, nullptr, nullptr, nullptr},
#endif
};

// As libtorch asks: with what the operating system saves of the registers.
Level level_of_processor() {
#ifdef CLHA_X86_LEVELS
  __builtin_cpu_init();
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool f16c = __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !f16c) return Level::kDefault;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512dq");
  return wide ? Level::kAvx512 : Level::kAvx2;
#else
  return Level::kDefault;
#endif
}

Level chosen = Level::kDefault;
bool asked = false;

const Entry& entry() { return kLevels[static_cast<int>(chosen)]; }

void hold_libraries() {
  if (!entry().aten) return;
  setenv("ATEN_CPU_CAPABILITY", entry().aten, /*overwrite=*/0);
  setenv("ONEDNN_MAX_CPU_ISA", entry().one_dnn, 0);
  setenv("MKL_ENABLE_INSTRUCTIONS", entry().mkl, 0);
}

Level level_named(const char* name, Level most) {
  for (const Entry& e : kLevels) {
    if (std::strcmp(e.name, name) != 0) continue;
    const auto found = static_cast<Level>(&e - kLevels);
    if (found <= most) return found;
    throw std::invalid_argument(std::string("CLHA_CPU_LEVEL is ") + name + ", but this processor (" + processor_name() + ") has no more than " +
                                kLevels[static_cast<int>(most)].name);
  }
  if (std::strcmp(name, "avx2") == 0 || std::strcmp(name, "avx512") == 0)
    throw std::invalid_argument(std::string("CLHA_CPU_LEVEL is ") + name + ", but this processor (" + processor_name() + ") has no more than default");
  throw std::invalid_argument(std::string("CLHA_CPU_LEVEL is ") + name + "; levels are avx512, avx2 and default");
}

}  // namespace

void choose_level() {
  const char* name = std::getenv("CLHA_CPU_LEVEL");
  const Level most = level_of_processor();
  asked = name && *name;
  chosen = asked ? level_named(name, most) : most;
  if (asked) hold_libraries();
}

Level level() { return chosen; }
const char* level_name() { return entry().name; }
const Loops& loops() { return *entry().loops; }

std::string processor_name() {
#ifdef __x86_64__
  unsigned words[12] = {};
  for (unsigned i = 0; i < 3; i++)
    if (!__get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3])) return "x86-64";
  std::string name(reinterpret_cast<const char*>(words), sizeof words);
  name.resize(std::strlen(name.c_str()));
  const size_t first = name.find_first_not_of(' ');
  return first == std::string::npos ? "x86-64" : name.substr(first, name.find_last_not_of(' ') - first + 1);
#else
  return "not x86-64";
#endif
}

bool may_use_all_of_one_dnn() { return chosen == Level::kAvx512 || !asked; }

bool has_bf16_products() {
#ifdef CLHA_X86_LEVELS
  return chosen == Level::kAvx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace clha
