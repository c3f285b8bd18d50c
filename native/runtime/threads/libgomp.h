// Names of libgomp that this addon exports, and libgomp's own functions behind them.
#pragma once
#include <dlfcn.h>

#include "runtime/threads/threads.h"

#define CLHA_GOMP extern "C" __attribute__((visibility("default")))

#define CLHA_LIBGOMP(name)                                                                \
  ([] {                                                                                   \
    static const auto found = reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name)); \
    return found;                                                                         \
  }())

// First line of every exported function.
#define CLHA_ELSE(name, ...) \
  if (!clha::own_team()) return CLHA_LIBGOMP(name)(__VA_ARGS__)
