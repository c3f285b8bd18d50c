import { expect, test } from 'vitest'
import { finishedText } from '../../src/generate/stopping.js'

test('the text ends at the first stop text, whichever it is', () => {
  const found = finishedText('one\n\nHuman: two', ['Human:', '\n\nHuman:'], false)
  expect(found).toEqual({ text: 'one', stopped: true, certain: 'one' })
})

test('what may become a stop text is held back until it is clear', () => {
  expect(finishedText('one\n\nHum', ['\n\nHuman:'], false).certain).toBe('one')
  expect(finishedText('one\n\nHumor', ['\n\nHuman:'], false).certain).toBe('one\n\nHumor')
  expect(finishedText('one\n', ['\n\nHuman:'], true)).toEqual({
    text: 'one\n',
    stopped: false,
    certain: 'one\n',
  })
})

test('half of a character is held back', () => {
  expect(finishedText('caf\ufffd', [], false).certain).toBe('caf')
  expect(finishedText('café', [], false).certain).toBe('café')
  expect(finishedText('caf\ufffd', [], true).certain).toBe('caf\ufffd')
})

test('an answer that begins with a stop text is empty', () => {
  expect(finishedText('Human: hi', ['Human:'], false)).toEqual({ text: '', stopped: true, certain: '' })
})
