// Tests below the processor's own level of vector instructions: kernels, models, steps and generation as on such a processor.

/** Levels that every x86-64 processor of today can stand in for. */
export const NARROWER = ['avx2', 'default'] as const

/** Matrix products, one of each kernel, a model against recorded numbers, a training, a generation: under a minute for both levels. */
export const LEVEL_TESTS = [
  'test/nn/{attention,dropout,gated,linear,linear-quantized,log-prob,mixed-linear,nf4,rms-norm,rotary}.test.ts',
  'test/models/{load,packed,quantized}.test.ts',
  'test/train/{learning,mixed-precision,run}.test.ts',
  'test/generate/generate.test.ts',
]

/** The level is read when the engine is loaded, once: so it is part of a project's environment. */
export const levelProject = (level: string, include: readonly string[], exclude: readonly string[] = []) => ({
  extends: true as const,
  test: {
    name: level,
    include: [...include],
    exclude: [...exclude],
    env: { OMP_WAIT_POLICY: 'passive', CLHA_CPU_LEVEL: level },
  },
})
