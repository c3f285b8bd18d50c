import { afterEach, expect, test } from 'vitest'
import {
  allocate,
  backward,
  chooseDevice,
  currentDevice,
  deviceLabel,
  f32,
  fromData,
  gradOf,
  i64,
  onDevice,
  ops,
  requiresGrad,
  scope,
  useDevice,
} from '../../src/tensor/index.js'
import { thrown } from '../helpers/folders.js'

afterEach(() => useDevice('cpu'))

const gpu = { name: 'NVIDIA H100', bytes: 80e9, capability: '9.0' }

test('what is made from numbers or from nothing is on the device in use; memory for readers and draws stay on the CPU', () => {
  useDevice('meta')
  scope(() => {
    const made = [f32([1, 2]), i64([3]), ops.zeros([2]), ops.full([2], 1), ops.arange(3)]
    expect(made.map((t) => t.device)).toEqual(made.map(() => 'meta'))
    expect(allocate([2]).device).toBe('cpu')
    expect(fromData(Float32Array.of(1), [1], 'f32', 'cpu').numbers()).toEqual([1])
    expect(ops.zerosLike(allocate([2])).device).toBe('cpu')
    expect(onDevice(allocate([3], 'bf16'))).toMatchObject({ device: 'meta', shape: [3], dtype: 'bf16' })
  })
  useDevice('cpu')
  expect(currentDevice()).toBe('cpu')
  expect(scope(() => ops.zeros([2]).numbers())).toEqual([0, 0])
})

test('a tensor that is where it should be is not copied', () => {
  scope(() => {
    const here = f32([1, 2])
    expect(onDevice(here)).toBe(here)
  })
})

test('operators refuse to mix devices, our own too', () => {
  scope(() => {
    const here = f32([1, 2], [1, 2])
    const there = onDevice(f32([1, 2], [1, 2]), 'meta')
    const bias = onDevice(f32([1]), 'meta')
    const calls = [
      () => ops.add(here, there),
      () => ops.linear(here, there),
      () => ops.linear(here, here, bias),
      () => ops.embedding(here, onDevice(i64([0]), 'meta')),
      () => ops.rmsNorm(here, ops.squeeze(there, 0)),
      () => ops.swiglu(here, there),
      () => ops.linearLogProb(here, there, i64([0])),
    ]
    for (const call of calls) expect(call).toThrow(/device|meta/i)
    expect(() => there.numbers()).toThrow()
    expect(() => there.bytes()).toThrow(/CPU/)
  })
})

test('gradients are where their tensors are', () => {
  scope(() => {
    const x = requiresGrad(onDevice(f32([1, 2]), 'meta'))
    backward(ops.sum(ops.square(x)))
    expect(gradOf(x)?.device).toBe('meta')
  })
})

test('auto takes the first GPU where there is one, else the CPU', () => {
  expect(chooseDevice('auto', { cuda: true, devices: [gpu, gpu] } as never)).toBe('cuda:0')
  expect(chooseDevice('auto', { cuda: false, devices: [] } as never)).toBe('cpu')
  expect(chooseDevice('cpu', { cuda: true, devices: [gpu] } as never)).toBe('cpu')
  expect(chooseDevice('cuda', { cuda: true, devices: [gpu] } as never)).toBe('cuda:0')
  expect(chooseDevice('cuda:1', { cuda: true, devices: [gpu, gpu] } as never)).toBe('cuda:1')
  expect(deviceLabel('cuda:0', { devices: [gpu] } as never)).toBe('NVIDIA H100, 80 GB (cuda:0)')
  expect(deviceLabel('cpu', { devices: [gpu] } as never)).toBe('CPU')
})

test('a GPU that is not there is an error of usage that says how to get it', () => {
  const asked = (setting: string, engine: object) => thrown(() => chooseDevice(setting, engine as never))
  expect(asked('cuda', { cuda: false, devices: [] })).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/cuda: this libtorch computes on the CPU only/),
    hint: expect.stringMatching(/clha setup --accept-cuda-wheel/),
  })
  expect(asked('cuda', { cuda: true, devices: [] })).toMatchObject({
    exitCode: 2,
    hint: expect.stringMatching(/nvidia-smi/),
  })
  expect(asked('cuda:2', { cuda: true, devices: [gpu] })).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/1 GPU, cuda:0/),
  })
  expect(() => useDevice('moon')).toThrow()
  expect(currentDevice()).toBe('cpu')
})
