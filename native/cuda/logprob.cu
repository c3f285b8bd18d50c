// Log-probabilities of targets from rows of logits, and their gradients.
#include "common.cuh"

template <typename T> __device__ __forceinline__ float capped(T logit, float cap) { return cap > 0 ? cap * tanhf(wide(logit) / cap) : wide(logit); }

// One row of logits each block: log-sum-exp, log-probability of the target, and whether the target is the first choice.
template <typename T>
__device__ void log_prob(const T* logits, const i64* targets, float* logp, float* lse, bool* hit, int vocabulary, float cap) {
  const T* row = logits + static_cast<i64>(blockIdx.x) * vocabulary;
  const float none = __int_as_float(0xff800000);
  float top = none, sum = 0;
  for (int c = threadIdx.x; c < vocabulary; c += 256) {
    const float x = capped(row[c], cap);
    if (x > top) {
      sum = sum * __expf(top - x) + 1;
      top = x;
    } else if (x != none) {
      sum += __expf(x - top);
    }
  }
  const float most = over_row<256>(top, Max());
  sum = over_row<256>(top != none ? sum * __expf(top - most) : sum, Add());
  if (threadIdx.x > 0) return;
  const i64 target = targets[blockIdx.x];
  const bool inside = target >= 0 && target < vocabulary;
  const float picked = inside ? capped(row[target], cap) : __int_as_float(0x7fffffff);
  const float total = most + logf(sum);
  lse[blockIdx.x] = total;
  logp[blockIdx.x] = picked - total;
  hit[blockIdx.x] = picked == most;
}

// logits -> their gradients, in place
template <typename T>
__device__ void log_prob_backward(T* logits, const i64* targets, const float* lse, const float* grad, int vocabulary, float cap) {
  T* row = logits + static_cast<i64>(blockIdx.x) * vocabulary;
  const float total = lse[blockIdx.x], g = grad[blockIdx.x];
  const i64 target = targets[blockIdx.x];
  for (int c = threadIdx.x; c < vocabulary; c += 256) {
    const float x = capped(row[c], cap);
    const float d = g * ((c == target ? 1.0f : 0.0f) - __expf(x - total));
    row[c] = narrow<T>(cap > 0 ? d * (1 - (x / cap) * (x / cap)) : d);
  }
}

#define LOG_PROB(T, NAME) \
  extern "C" __global__ void log_prob_##NAME(const T* logits, const i64* targets, float* logp, float* lse, bool* hit, int vocabulary, float cap) { \
    log_prob(logits, targets, logp, lse, hit, vocabulary, cap); \
  } \
  extern "C" __global__ void log_prob_backward_##NAME(T* logits, const i64* targets, const float* lse, const float* grad, int vocabulary, \
                                                      float cap) { \
    log_prob_backward(logits, targets, lse, grad, vocabulary, cap); \
  }
LOG_PROB(float, f32)
LOG_PROB(bf16, bf16)
