import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { native } from '../../src/tensor/index.js'
import { attentionDifference } from '../native/attention-difference.js'
import { randomLists } from '../native/layouts.js'

// Shapes this small gain nothing from threads, and waiting for them is slow on a busy machine.
native().setThreads(1)

test('10,000 random layouts, head shapes, windows and soft caps: kernel and composition agree', () => {
  const random = createRandom(process.env.CLHA_FUZZ_SEED ?? 'attention')
  for (let i = 0; i < 10_000; i++) {
    const kvHeads = 1 + random.int(2)
    const how = {
      heads: kvHeads * (1 + random.int(3)),
      kvHeads,
      width: 1 + random.int(4),
      window: random.int(2) * random.int(14),
      softcap: random.int(2) * (0.1 + 5 * random.next()),
      dtype: random.int(2) === 0 ? 'f64' : 'f32',
      seed: `${i}`,
    } as const
    const lists = randomLists(random, 6)
    const difference = attentionDifference(lists, how)
    const label = `${JSON.stringify(lists)} ${JSON.stringify(how)}`
    expect(difference, label).toBeLessThan(how.dtype === 'f64' ? 1e-10 : 5e-5)
  }
})
