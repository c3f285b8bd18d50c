import { expect, test } from 'vitest'
import { packLists } from '../../src/data/encode/pack.js'
import { decode, targetLogProbs } from '../../src/models/decoder/decoder.js'
import { alignedLogProbs, candidateLogProbs, streamOf } from '../../src/models/decoder/score.js'
import { i64, noGrad, ops, scope } from '../../src/tensor/index.js'
import { relative } from '../helpers/numbers.js'
import { randomItems, tinyModel, VOCABULARY } from '../train/tiny.js'

test('how answers stand to what the model would say: token by token over the whole vocabulary', () => {
  const model = tinyModel('lm', 1, 'f64')
  const encoded = randomItems(3, 'aligned').map((item) => item.encoded)
  const [batch] = packLists(encoded, { maxTokens: 1e6, lastToken: false })
  noGrad(() =>
    scope(() => {
      const { sum, aligned } = alignedLogProbs(model, batch)
      expect(sum.numbers()).toEqual(candidateLogProbs(model, batch).sum.numbers())
      const rows = ops.indexSelect(decode(model, streamOf(batch)), 0, i64(batch.rows))
      const logProbs = Array.from({ length: VOCABULARY }, (_, token) =>
        targetLogProbs(model, rows, i64([...batch.targets].map(() => token)))[0].numbers(),
      )
      const apart = [...batch.targets].map((target, r) => {
        const squares = logProbs.reduce((total, of) => total + Math.exp(2 * of[r]), 0)
        return logProbs[target][r] - Math.log(squares)
      })
      const expected = batch.counts.map((count, c) => {
        const own = apart.filter((_, r) => batch.owners[r] === c)
        return own.reduce((a, b) => a + b, 0) / Math.max(1, count)
      })
      expect(relative(aligned.numbers(), expected)).toBeLessThan(1e-12)
    }),
  )
  model.dispose()
})
