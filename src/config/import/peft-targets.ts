/** The linear maps that PEFT gives an adapter where a config names none (its constants.py), of the families that are read here. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonObject } from '../../files/json.js'

const BY_FAMILY: Record<string, string[]> = {
  gpt2: ['c_attn'],
  gpt_neox: ['query_key_value'],
  ...Object.fromEntries(
    ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text', 'opt'].map((family) => [
      family,
      ['q_proj', 'v_proj'],
    ]),
  ),
}

/**
 * Of a model folder; undefined where it is not here, or PEFT has no choice for its family.
 * @throws ClhaError (exit 2) when its config.json is no JSON object
 */
export function peftTargets(model: string): string[] | undefined {
  const path = join(model, 'config.json')
  return existsSync(path) ? BY_FAMILY[String(readJsonObject(path).model_type)] : undefined
}
