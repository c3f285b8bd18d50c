import { expect, test } from 'vitest'
import { takeTurns } from '../../bench/lib/turns.mjs'

interface Turns {
  measured: Record<string, object[]>
  failed: Map<string, string>
}

/** Contenders that write down what happens to them; `bad` fails in its second round, `never` at its start. */
function scene() {
  const happened: string[] = []
  const start = async ({ name }: { name: string }) => {
    happened.push(`start ${name}`)
    if (name === 'never') throw new Error('never ended (1)')
    return {
      async round(index: number) {
        happened.push(`${name} ${index}`)
        if (name === 'bad' && index === 1) throw new Error('bad ended (1): out of memory')
        return { items: index }
      },
      async stop() {
        happened.push(`stop ${name}`)
      },
    }
  }
  const run = (names: string[], rounds: number, apart: boolean): Promise<Turns> => {
    const hands = { start, wait: async () => ({ quiet: true }), say() {} }
    return takeTurns(
      names.map((name) => ({ name })),
      { rounds, apart },
      hands,
    )
  }
  return { happened, run }
}

test('side by side, all are started first, and nobody is always first in a round', async () => {
  const { happened, run } = scene()
  await run(['a', 'b'], 2, false)
  expect(happened).toEqual(['start a', 'start b', 'a 0', 'b 0', 'b 1', 'a 1', 'stop a', 'stop b'])
})

test('apart, each does all its rounds and is stopped before the next is started', async () => {
  const { happened, run } = scene()
  const { measured } = await run(['a', 'b'], 2, true)
  expect(happened).toEqual(['start a', 'a 0', 'a 1', 'stop a', 'start b', 'b 0', 'b 1', 'stop b'])
  expect(measured.b).toEqual([
    { items: 0, quiet: true, index: 0 },
    { items: 1, quiet: true, index: 1 },
  ])
})

test.each([true, false])(
  'one that fails ends nobody else, and keeps the rounds it did (apart: %s)',
  async (apart) => {
    const { happened, run } = scene()
    const { measured, failed } = await run(['bad', 'never', 'good'], 3, apart)
    expect([...failed]).toEqual(
      apart
        ? [
            ['bad', 'bad ended (1): out of memory'],
            ['never', 'never ended (1)'],
          ]
        : [
            ['never', 'never ended (1)'],
            ['bad', 'bad ended (1): out of memory'],
          ],
    )
    expect(measured.bad).toHaveLength(1)
    expect(measured.good).toHaveLength(3)
    expect(happened).toContain('stop bad')
    expect(happened).not.toContain('bad 2')
  },
)
