/** Completion scripts: bash's is run. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionScript } from '../../src/commands/completion/completion.js'
import { COMMANDS } from '../../src/commands/index.js'

const SCRIPT = completionScript('bash', COMMANDS)

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const ask = `
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_clha
printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['-c', `${SCRIPT}\n${ask}`, 'bash', ...words], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line !== '')
}

test.each([
  [['clha', 'tra'], ['train']],
  [
    ['clha', 'tr'],
    ['train', 'try-rescoring'],
  ],
  [
    ['clha', 'reward', ''],
    ['train', 'score', 'eval'],
  ],
  [['clha', 'data', 'in'], ['inspect']],
  [['clha', 'train', '--lear'], ['--learning-rate']],
  [
    ['clha', 'train', '--mode', ''],
    ['default', 'legacy'],
  ],
  [['clha', 'train', '--mode', 'leg'], ['legacy']],
  // Both names of one key.
  [['clha', 'reward', 'train', '--reward-lear'], ['--reward-learning-rate']],
  [['clha', 'reward', 'train', '--lear'], ['--learning-rate']],
  [['clha', 'data', 'inspect', '--ba'], ['--bad']],
  [['clha', 'merge', '--margin'], []],
  // A file: the shell's own completion takes over.
  [['clha', 'train', 'my'], []],
  [['clha', 'train', '--model-name-or-path', 'run'], []],
  [['clha', 'completion', ''], []],
])('bash offers for %j', (words, expected) => {
  expect(offered(...words)).toEqual(expected)
})

test('every command and every flag stands in each script', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = completionScript(shell, COMMANDS)
    for (const { path, keys } of COMMANDS) {
      for (const word of path) expect(script, shell).toContain(word)
      for (const key of keys) expect(script, `${shell} ${key}`).toContain(key.replaceAll('_', '-'))
    }
  }
})

test('another shell is refused with those that there are', () => {
  expect(() => completionScript('tcsh', COMMANDS)).toThrow('completion tcsh: no such shell')
})
