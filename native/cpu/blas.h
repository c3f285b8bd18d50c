// Row-major matrix products on raw pointers, by the BLAS inside libtorch. Called from one thread of a parallel loop.
#pragma once
#include <cstdint>

extern "C" {
// Weak: a platform whose libtorch exports no BLAS still links, and own kernels then compose ATen operators.
__attribute__((weak)) void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*,
                                  const int*, const float*, const int*, const float*, float*, const int*);
__attribute__((weak)) void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*,
                                  const int*, const double*, const int*, const double*, double*, const int*);
}

namespace clha {

inline bool has_blas() { return &sgemm_ != nullptr && &dgemm_ != nullptr; }

inline void gemm_raw(char ta, char tb, int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb,
                     float beta, float* c, int ldc) {
  sgemm_(&ta, &tb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}
inline void gemm_raw(char ta, char tb, int m, int n, int k, double alpha, const double* a, int lda, const double* b, int ldb,
                     double beta, double* c, int ldc) {
  dgemm_(&ta, &tb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}

// C[m, n] = alpha * A[m, k] * B[k, n] + beta * C
template <typename T>
void gemm_nn(int m, int n, int k, T alpha, const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc) {
  if (m > 0 && n > 0) gemm_raw('n', 'n', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);
}
// C[m, n] = alpha * A[m, k] * B[n, k]^T + beta * C
template <typename T>
void gemm_nt(int m, int n, int k, T alpha, const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc) {
  if (m > 0 && n > 0) gemm_raw('t', 'n', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);
}
// C[m, n] = alpha * A[k, m]^T * B[k, n] + beta * C
template <typename T>
void gemm_tn(int m, int n, int k, T alpha, const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc) {
  if (m > 0 && n > 0) gemm_raw('n', 't', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);
}

}  // namespace clha
