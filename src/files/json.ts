/** JSON of files, before anybody has said what it holds. */

import { readFileSync, statSync } from 'node:fs'
import { usageError } from '../errors.js'

/** An object with named fields: no array, not null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws the system's error where the file can't be read; SyntaxError where it is not JSON */
export function readJson(path: string): unknown {
  const found = statSync(path)
  // A pipe may never end, and a device never does.
  if (!found.isFile() && !found.isDirectory()) throw new Error('a pipe or a device, not a file')
  return JSON.parse(readFileSync(path, 'utf8'))
}

/**
 * A JSON file that must hold an object, such as a `config.json`.
 * @param todo what to do about one that doesn't
 * @throws ClhaError (usage) where it can't be read, is not JSON or holds something else
 */
export function readJsonObject(path: string, todo = 'fetch the file again'): Record<string, unknown> {
  const value = parsed(path, todo)
  if (!isObject(value)) throw usageError(`${path}: holds no JSON object`, todo)
  return value
}

function parsed(path: string, todo: string): unknown {
  try {
    return readJson(path)
  } catch (error) {
    const what = error instanceof SyntaxError ? 'not JSON' : 'cannot be read'
    throw usageError(`${path}: ${what}: ${(error as Error).message}`, todo)
  }
}

export type Json = Record<string, unknown>
