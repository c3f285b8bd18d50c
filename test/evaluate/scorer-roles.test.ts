import { expect, test } from 'vitest'
import { bestRole, byTrust, whoIs } from '../../src/evaluate/scorer-roles.js'

test('the truth is trusted most, then a scorer that training never saw, others, and that of the training', () => {
  expect(byTrust(['reward', 'b', 'second', 'a', 'true'])).toEqual(['true', 'second', 'b', 'a', 'reward'])
  expect(bestRole((name) => name !== 'true')?.metric).toBe('second reward')
  expect(bestRole(() => false)).toBeUndefined()
})

test('a scorer without a role is called by its name', () => {
  expect(['second', 'judges/big'].map(whoIs)).toEqual(['the second reward model', 'reward model judges/big'])
})
