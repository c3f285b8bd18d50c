/** What stands beside the text of a message: names, tool calls, reasoning; and the tools of a row. */
import type { Message, Prompt, Tool, ToolCall } from '../../dialogue.js'
import { isObject } from '../../files/json.js'
import type { AnswerParts } from '../example.js'
import { contentFault, structuralFault } from '../read/row-fault.js'
import { isAbsent, type RawRow } from './format.js'
import { typeName } from './type-name.js'

type Extras = Pick<Message, 'name' | 'reasoning_content' | 'tool_calls' | 'tool_call_id'>

/**
 * What a message has besides role and content; null and empty lists are nothing.
 * @throws RowFault (structural) for something of another type
 */
export function readExtras(message: RawRow, at: string): Extras {
  const extras: Extras = {}
  for (const key of ['name', 'tool_call_id'] as const) {
    const value = textOf(message, key, at)
    if (value !== undefined) extras[key] = value
  }
  // What was thought has more than one name among those who publish data.
  const thought = ['reasoning_content', 'reasoning', 'thinking'].find((key) => !isAbsent(message, key))
  const reasoning = thought && textOf(message, thought, at)
  if (reasoning !== undefined && reasoning !== '') extras.reasoning_content = reasoning
  const calls = objectsOf(message.tool_calls, `${at}.tool_calls`) ?? oldCall(message, at)
  if (calls) extras.tool_calls = calls
  return extras
}

function textOf(message: RawRow, key: string, at: string): string | undefined {
  if (isAbsent(message, key)) return undefined
  const value = message[key]
  if (typeof value === 'string') return value
  throw structuralFault('wrong_type', `${at}.${key} is ${typeName(value)}, not a string`)
}

/** A list of objects, or JSON text of one; undefined for null, '' and an empty list. */
function objectsOf(value: unknown, at: string): ToolCall[] | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const list = typeof value === 'string' ? parse(value, at) : value
  if (!Array.isArray(list) || !list.every(isObject))
    throw structuralFault('wrong_type', `${at} is ${typeName(list)}, not a list of objects`)
  return list.length === 0 ? undefined : list
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw structuralFault('wrong_type', `${at} is a text that is no JSON`)
  }
}

const asCall = (call: object): ToolCall => ({ type: 'function', function: call })

/** OpenAI's older form, one call a turn. */
function oldCall(message: RawRow, at: string): ToolCall[] | undefined {
  if (isAbsent(message, 'function_call')) return undefined
  const call = message.function_call
  if (isObject(call)) return [asCall(call)]
  throw structuralFault('wrong_type', `${at}.function_call is ${typeName(call)}, not an object`)
}

/** ShareGPT's turn `function_call`: one call, or a list of them, as JSON text. */
export function callTurn(value: unknown, at: string): Message {
  const found = typeof value === 'string' ? parse(value, at) : value
  const calls = Array.isArray(found) ? found : [found]
  if (calls.length === 0 || !calls.every(isObject))
    throw structuralFault('wrong_type', `${at} is ${typeName(value)}, not a call {name, arguments}`)
  return {
    role: 'assistant',
    content: '',
    tool_calls: calls.map((call) => ('function' in call ? call : asCall(call))),
  }
}

/** What was said, thought and called in an answer. */
export function partsOf({ content, tool_calls, reasoning_content }: Message): AnswerParts {
  return {
    text: content,
    ...(tool_calls && { tool_calls }),
    ...(reasoning_content !== undefined && { reasoning_content }),
  }
}

/**
 * The prompt with the tools of its row: `tools`, or `input.tools` in OpenAI's file.
 * @throws RowFault (structural) for tools that are no list of objects; (content) beside a prompt that is literal text
 */
export function withTools(row: RawRow, prompt: Prompt): Prompt {
  const own = objectsOf(row.tools, 'tools')
  const tools: Tool[] | undefined =
    own ?? (isObject(row.input) ? objectsOf(row.input.tools, 'input.tools') : undefined)
  if (!tools) return prompt
  if (typeof prompt === 'string')
    throw contentFault(
      'tools_beside_text',
      'there are tools beside a prompt that is literal text, not messages',
    )
  return prompt.map((message, i) => (i === 0 ? { ...message, tools } : message))
}
