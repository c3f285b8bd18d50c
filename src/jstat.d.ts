/** The part of jstat that is used; the package brings no types. */
declare module 'jstat' {
  type OfTwo = (x: number, degreesOfFreedom: number) => number
  const jstat: {
    jStat: {
      studentt: { inv: OfTwo; cdf: OfTwo; pdf: OfTwo }
      normal: { inv: (p: number, mean: number, deviation: number) => number }
    }
  }
  export default jstat
}
