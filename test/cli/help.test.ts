/** Help: it fits 80 columns, shows first what one needs first, and all of it on request. */
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { COMMANDS } from '../../src/commands/index.js'
import { flagName } from '../../src/config/flags.js'
import { Sink } from '../helpers/sink.js'

async function help(argv: readonly string[]) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(argv, { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} })
  expect([code, stderr.text]).toEqual([0, ''])
  return stdout.text
}

const calls = COMMANDS.map(({ path }) => path.join(' '))

describe.each(['--help', '--help-all'])('%s', (asked) => {
  test.each(['', 'reward', 'data', 'config', ...calls])('of clha %s fits 80 columns', async (name) => {
    const out = await help([...name.split(' ').filter((word) => word !== ''), asked])
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})

test('at most ten keys are shown first, each a key of the command, and the number of the others', async () => {
  for (const { path, keys, first } of COMMANDS) {
    if (first === undefined) {
      expect(keys.length, path.join(' ')).toBeLessThanOrEqual(25)
      continue
    }
    expect(first.length, path.join(' ')).toBeLessThanOrEqual(10)
    expect(keys).toEqual(expect.arrayContaining([...first]))
    const out = await help([...path, '--help'])
    for (const key of first) expect(out, path.join(' ')).toContain(flagName(key))
    expect(out).toContain(`${keys.length - first.length} further flags: clha ${path.join(' ')} --help-all`)
  }
})

test('help of train is short, and all of it has the rest', async () => {
  const short = await help(['train', '--help'])
  expect(short.split('\n').length).toBeLessThan(60)
  expect(short).not.toContain('--adam-beta1')
  expect(await help(['train', '--help-all'])).toContain('--adam-beta1')
})
