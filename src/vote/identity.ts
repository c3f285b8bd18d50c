/** Answers that give their author away: a vote on them is a vote on a name. */

/** Makers and models that answers speak of as themselves. */
const NAMES = [
  ...[
    'chatgpt',
    'gpt-?\\d',
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

const SELF = [
  `\\b(?:i am|i'm|this is|my name is|call me|i was|i have been)\\b[^.!?\\n]{0,60}\\b(?:${NAMES})`,
  `\\b(?:trained|made|built|created|developed) by (?:${NAMES}|meta(?: ai)?|google|microsoft|nvidia|xai)\\b`,
  `\\bas (?:${NAMES})\\b`,
  `我是[^。\\n]{0,20}(?:${NAMES}|通义千问|文心一言)`,
].join('|')

const SELF_NAMED = new RegExp(SELF, 'i')

/** @param systems names of what is compared; one that stands in an answer gives it away */
export function namesAuthor(text: string, systems: readonly string[]): boolean {
  const plain = text.replaceAll('\u2019', "'")
  if (SELF_NAMED.test(plain)) return true
  return systems.some(
    (name) => name.length > 3 && new RegExp(`(?<!\\w)${escaped(name)}(?!\\w)`, 'i').test(plain),
  )
}

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
