/** Small symmetric positive definite systems, by Cholesky's factors. */

/** Lower factor L of A = L L'; undefined where A is not positive definite. */
export function cholesky(matrix: readonly Float64Array[]): Float64Array[] | undefined {
  const n = matrix.length
  const factor = matrix.map(() => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i][j]
      for (let k = 0; k < j; k++) rest -= factor[i][k] * factor[j][k]
      if (i !== j) factor[i][j] = rest / factor[j][j]
      else if (!(rest > 0)) return undefined
      else factor[i][i] = Math.sqrt(rest)
    }
  }
  return factor
}

/** x of L L' x = b. */
export function solveFactored(factor: readonly Float64Array[], b: ArrayLike<number>): Float64Array {
  const n = factor.length
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i][k] * x[k]
    x[i] /= factor[i][i]
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= factor[k][i] * x[k]
    x[i] /= factor[i][i]
  }
  return x
}
