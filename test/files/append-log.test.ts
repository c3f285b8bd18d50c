import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAppendLog, readLog, wholeLines } from '../../src/files/append-log.js'
import { sha256, sha256File } from '../../src/files/digest.js'
import { isObject, readJsonObject } from '../../src/files/json.js'
import { temporaryFolder } from '../helpers/folders.js'

describe('a log of lines', () => {
  test('is made with its folder, and goes on where it stopped', () => {
    const path = join(temporaryFolder(), 'deeper', 'log.jsonl')
    expect(readLog(path)).toEqual({ lines: [], torn: false })
    const first = openAppendLog(path)
    expect(first.lines).toEqual([])
    first.append('a')
    first.append('ü')
    first.close()
    const second = openAppendLog(path)
    expect(second.lines).toEqual(['a', 'ü'])
    second.append('c')
    second.sync()
    second.close()
    expect(readFileSync(path, 'utf8')).toBe('a\nü\nc\n')
  })

  test('a line that a kill cut short, even within a letter, is not there, and the next does not grow out of it', () => {
    const path = join(temporaryFolder(), 'log.jsonl')
    // 0xe2 0x82 begin a euro sign.
    writeFileSync(path, Buffer.from([...Buffer.from('ü\n{"x":'), 0xe2, 0x82]))
    expect(readLog(path)).toEqual({ lines: ['ü'], torn: true })
    const log = openAppendLog(path)
    log.append('b')
    log.close()
    expect(readFileSync(path, 'utf8')).toBe('ü\nb\n')
  })

  test('a first line without its end leaves nothing', () => {
    const path = join(temporaryFolder(), 'log.jsonl')
    appendFileSync(path, 'half')
    openAppendLog(path).close()
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  test('empty lines are lines', () =>
    expect(wholeLines('a\n\nb\n')).toEqual({ lines: ['a', '', 'b'], torn: false }))
})

test('SHA-256 of text, of parts and of a file', async () => {
  // printf abc | sha256sum
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(sha256('abc')).toBe(abc)
  expect(sha256('a', Buffer.from('b'), 'c')).toBe(abc)
  // printf é | sha256sum
  expect(sha256('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c')
  const path = join(temporaryFolder(), 'abc')
  writeFileSync(path, 'abc')
  expect(await sha256File(path)).toBe(abc)
})

test('a JSON file that must hold an object says what is wrong with it', () => {
  const folder = temporaryFolder()
  const holding = (text: string) => {
    writeFileSync(join(folder, 'x.json'), text)
    return () => readJsonObject(join(folder, 'x.json'), 'do this')
  }
  expect(holding('{"a":1}')()).toEqual({ a: 1 })
  expect(holding('{')).toThrow('x.json: not JSON: ')
  expect(holding('{')).toThrow(expect.objectContaining({ exitCode: 2, hint: 'do this' }))
  for (const text of ['[]', 'null', '3']) expect(holding(text)).toThrow('x.json: holds no JSON object')
  mkdirSync(join(folder, 'folder'))
  expect(() => readJsonObject(join(folder, 'folder'))).toThrow('folder: cannot be read: EISDIR')
  expect([{}, [], null, 'a'].map(isObject)).toEqual([true, false, false, false])
})
