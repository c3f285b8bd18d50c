/** The dialogue formats of well-known families, for models that come without a chat template. Written in Jinja. */

const GENERATE = (text: string) => `{% if add_generation_prompt %}{{ '${text}' }}{% endif %}`
const TURNS =
  "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}" +
  "{{ raise_exception('user and assistant must take turns, the user first') }}{% endif %}"
/** `system` is the content of a leading system message, `turns` what follows it. */
const SPLIT = (fallback: string) =>
  "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set turns = messages[1:] %}" +
  `{% else %}{% set system = ${fallback} %}{% set turns = messages %}{% endif %}`

const CHATML_TURN = "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
const CHATML = `{% for m in messages %}${CHATML_TURN}{% endfor %}${GENERATE('<|im_start|>assistant\\n')}`

const LLAMA2 =
  `${SPLIT('none')}{% for m in turns %}${TURNS}{% if m.role == 'user' %}` +
  "{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m.content if loop.first and system is string else m.content %}" +
  "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}" +
  "{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"

const LLAMA3 =
  "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' }}" +
  "{{ m.content.strip() + '<|eot_id|>' }}{% endfor %}" +
  GENERATE('<|start_header_id|>assistant<|end_header_id|>\\n\\n')

const MISTRAL =
  `{{ bos_token }}{% for m in messages %}${TURNS}` +
  "{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}" +
  "{% elif m.role == 'assistant' %}{{ m.content + eos_token + ' ' }}" +
  "{% else %}{{ raise_exception('there are only user and assistant turns') }}{% endif %}{% endfor %}"

const ZEPHYR =
  "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + eos_token + '\\n' }}{% endfor %}" +
  GENERATE('<|assistant|>\\n')

const VICUNA =
  SPLIT("'A chat between a curious user and an artificial intelligence assistant.'") +
  "{{ system.strip() + ' ' }}{% for m in turns %}{% if m.role == 'user' %}{{ 'USER: ' + m.content.strip() + ' ' }}" +
  `{% else %}{{ 'ASSISTANT: ' + m.content.strip() + eos_token }}{% endif %}{% endfor %}${GENERATE('ASSISTANT:')}`

const GEMMA =
  "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('there is no system turn') }}{% endif %}" +
  `{% for m in messages %}${TURNS}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) }}` +
  `{{ '\\n' + m.content.strip() + '<end_of_turn>\\n' }}{% endfor %}${GENERATE('<start_of_turn>model\\n')}`

const PHI3 =
  "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"

const QWEN2_5 =
  "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\n' }}" +
  "{{ 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}{% endif %}" +
  "{% for m in messages %}{% if m.role == 'tool' %}" +
  "{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}" +
  "{{ '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}" +
  "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}" +
  `{% else %}${CHATML_TURN}{% endif %}{% endfor %}${GENERATE('<|im_start|>assistant\\n')}`

/** Jinja sources by the names that `chat_template` takes. */
export const JINJA_PRESETS: Readonly<Record<string, string>> = {
  chatml: CHATML,
  llama2: LLAMA2,
  llama3: LLAMA3,
  mistral: MISTRAL,
  zephyr: ZEPHYR,
  vicuna: VICUNA,
  gemma: GEMMA,
  phi3: PHI3,
  qwen2_5: QWEN2_5,
}

const JINJA_NAMES = Object.keys(JINJA_PRESETS)

/** All named templates; `hh` and `plain` need no Jinja. */
export const TEMPLATE_NAMES: readonly string[] = [
  'hh',
  'chatml',
  'plain',
  ...JINJA_NAMES.filter((name) => name !== 'chatml'),
]
