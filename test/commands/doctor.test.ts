import { Readable, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { nodeCheck, platformCheck } from '../../src/commands/doctor/doctor-machine.js'
import { deviceCheck, levelCheck } from '../../src/commands/doctor/doctor-setup.js'

async function call(argv: string[]) {
  let out = ''
  const sink = () =>
    new Writable({
      write(chunk, _, done) {
        out += chunk
        done()
      },
    })
  const io = { stdin: Readable.from(['']), stdout: sink(), stderr: sink(), env: {}, exit() {} }
  return { code: await main(argv, io), out }
}

test('only Linux on x86-64 is called tested', () => {
  expect(platformCheck('linux', 'x64').state).toBe('ok')
  expect(platformCheck('darwin', 'arm64')).toMatchObject({
    state: 'note',
    text: 'darwin-arm64: not tested; only Linux on x86-64 is',
  })
  expect(platformCheck('win32', 'x64').state).toBe('missing')
})

test('an old Node and a processor without wide vectors are told with what to do', () => {
  expect(nodeCheck('18.20.0')).toMatchObject({ state: 'missing', advice: 'install Node 20 or later' })
  expect(nodeCheck('22.1.0').state).toBe('ok')
  expect(levelCheck('default')).toMatchObject({ state: 'note' })
  expect(levelCheck('avx2')).toMatchObject({ state: 'ok', text: 'avx2' })
})

test('the device is told: GPUs with what is known of them, a CUDA build that sees none, the CPU', () => {
  const gpu = { name: 'NVIDIA H100', bytes: 80e9, capability: '9.0' }
  const unknown = { name: 'GPU', bytes: 0, capability: '' }
  expect(deviceCheck({ cuda: true, devices: [gpu, unknown] })).toMatchObject({
    state: 'ok',
    text: 'cuda:0 NVIDIA H100, 80 GB, capability 9.0; cuda:1 GPU',
  })
  expect(deviceCheck({ cuda: true, devices: [] })).toMatchObject({
    state: 'note',
    advice: expect.stringMatching(/nvidia-smi/),
  })
  expect(deviceCheck({ cuda: false, devices: [] })).toMatchObject({
    state: 'ok',
    text: expect.stringMatching(/^CPU/),
  })
  expect(deviceCheck(undefined).state).toBe('note')
})

test('doctor tells of everything, and ends with 4 exactly when something is missing', async () => {
  const { code, out } = await call(['doctor', '--json'])
  const { doctor } = JSON.parse(out)
  const names = doctor.checks.map((check: { name: string }) => check.name)
  expect(names).toEqual(
    expect.arrayContaining([
      'platform',
      'node',
      'memory',
      'disk',
      'python',
      'cpu level',
      'compiler',
      'libtorch',
      'engine',
      'device',
    ]),
  )
  expect(code).toBe(doctor.ok ? 0 : 4)
  const missing = doctor.checks.filter((check: { state: string }) => check.state === 'missing')
  for (const check of missing) expect(check.advice).toBeTruthy()
  const text = await call(['doctor'])
  expect(text.out).toMatch(doctor.ok ? /everything needed is here\n$/ : /missing: .+\n$/)
})
