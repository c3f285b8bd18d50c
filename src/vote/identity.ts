/** Answers that give their author away: a vote on them is a vote on a name. */

/** Makers and models that answers speak of as themselves. */
const NAMES = [
  ...[
    'chatgpt',
    'gpt-?\\d[\\w.]*',
    'openai',
    'claude',
    'anthropic',
    'gemini',
    'gemma',
    'bard',
    'deepmind',
    'llama',
    'vicuna',
  ],
  ...[
    'alpaca',
    'mistral',
    'mixtral',
    'qwen',
    'tongyi',
    'alibaba cloud',
    'deepseek',
    'chatglm',
    'zhipu',
    'ernie',
    'baidu',
  ],
  ...[
    'yi',
    'falcon',
    'dolly',
    'koala',
    'oasst',
    'open assistant',
    'stablelm',
    'phi',
    'olmo',
    'tulu',
    'smollm',
    'grok',
  ],
  ...['copilot', 'kimi', 'moonshot ai', 'command r', 'cohere', 'nemotron', 'zephyr', 'starling', 'wizardlm'],
].join('|')

/** A version may follow ("gpt-4", "Qwen大模型"), the rest of another word ("philosophy") may not. */
const ends = (names: string): string => `(?:${names})(?!\\p{Script=Latin})`

const BY = '\\b(?:trained|made|built|created|developed) by '

const SELF = [
  `\\b(?:i am|i'm|this is|my name is|call me|i was|i have been)\\b[^.!?\\n]{0,60}\\b${ends(NAMES)}`,
  `${BY}${ends(`${NAMES}|meta(?: ai)?|google|microsoft|nvidia|xai`)}`,
  `\\bas ${ends(NAMES)}`,
  `我是[^。\\n]{0,20}${ends(`${NAMES}|通义千问|文心一言`)}`,
].join('|')

const SELF_NAMED = new RegExp(SELF, 'iu')

/**
 * @param systems names of what is compared: one gives the author away where the answer calls itself so, and wherever it
 *   stands if it is no plain word
 */
export function namesAuthor(text: string, systems: readonly string[]): boolean {
  const plain = text.replaceAll('\u2019', "'")
  if (SELF_NAMED.test(plain)) return true
  return systems.some((name) => {
    if (name.length <= 3) return false
    const before = isWord(name) ? `(?:\\b(?:i am|i'm|my name is|call me) |${BY})` : '(?<!\\w)'
    return new RegExp(`${before}${escaped(name)}(?!\\w)`, 'i').test(plain)
  })
}

/** `start` may stand in any text, `tuned-7b` and `runs/my` do not. */
const isWord = (name: string): boolean => !/[\d/_-]/.test(name) || !/\p{L}/u.test(name)

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
