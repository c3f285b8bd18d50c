/** What fits into a context. Figures by hand. */
import { expect, test } from 'vitest'
import { answeringRoom, fitLengths, promptShare } from '../../src/data/limits.js'

test('lengths that fit are as asked, even where the prompt may take more than three quarters', () => {
  expect(fitLengths({ maxLength: 100, maxPromptLength: 90 }, 128)).toEqual({
    maxLength: 100,
    maxPromptLength: 90,
  })
})

test('a shorter context is used, and three quarters of it at most for the prompt', () => {
  expect(fitLengths({ maxLength: 512, maxPromptLength: 384 }, 128)).toEqual({
    maxLength: 128,
    maxPromptLength: 96,
  })
  expect(fitLengths({ maxLength: 512, maxPromptLength: 20 }, 128).maxPromptLength).toBe(20)
  expect(promptShare(1)).toBe(1)
})

test('a prompt to be answered leaves new tokens their room, but keeps half of the context', () => {
  expect(answeringRoom(128, 48, 1000)).toBe(80)
  expect(answeringRoom(128, 100, 1000)).toBe(64)
  expect(answeringRoom(128, 48, 30)).toBe(30)
})
