/** `clha completion`: a script with which the shell completes commands and flags. */
import type { Command } from '../command.js'

export const completionCommand: Command = {
  path: ['completion'],
  summary: 'print a script that completes commands and flags in bash, zsh or fish',
  examples: [
    'source <(clha completion bash)',
    'clha completion zsh > "$fpath[1]/_clha"',
    'clha completion fish > ~/.config/fish/completions/clha.fish',
  ],
  arguments: [['<shell>', 'bash, zsh or fish']],
  flags: [],
  keys: [],
  groups: [],
  unstoppable: true,
  async run({ args: [shell], commands, terminal }) {
    const { completionScript } = await import('./completion.js')
    terminal.print(completionScript(shell, commands))
    return {}
  },
}
