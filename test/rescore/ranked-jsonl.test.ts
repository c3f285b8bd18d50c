import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { RankedList } from '../../src/rescore/ranked.js'
import { readRankedJsonl, writeRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { three } from './helpers.js'

describe('rescored JSON lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-ranked-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const collect = async (path: string) => {
    const out: RankedList[] = []
    for await (const list of readRankedJsonl(path)) out.push(list)
    return out
  }
  const bad = async (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return collect(path).then(
      () => 'read',
      (error: Error) => error.message.replace(folder, ''),
    )
  }

  test('what is written is read back, to the bit', async () => {
    const path = join(folder, 'ranked.jsonl')
    const lists = three()
    lists[0].example.candidates[0].text = 'two\nlines \u2028 한국어'
    expect(await writeRankedJsonl(path, lists)).toBe(3)
    expect(readFileSync(path, 'utf8').split(/[\n\u2028\u2029]/)).toHaveLength(4)
    expect(await collect(path)).toEqual(lists)
  })

  test('a write that fails leaves the old file and no other', async () => {
    const path = join(folder, 'old.jsonl')
    await writeRankedJsonl(path, three())
    const before = readFileSync(path, 'utf8')
    const broken = three()
    broken[2].rewards[0] = Number.NaN
    await expect(writeRankedJsonl(path, broken)).rejects.toThrow(/list reversed can't be written: rewards\.0/)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readdirSync(folder).filter((f) => f.endsWith('.partial'))).toEqual([])
    await expect(writeRankedJsonl(join(folder, 'no', 'where.jsonl'), three())).rejects.toThrow('ENOENT')
  })

  test('a line that is cut, foreign or inconsistent is refused with file and line', async () => {
    const good = JSON.stringify(three()[0])
    const change = (edit: (list: RankedList & Record<string, unknown>) => void) => {
      const list = JSON.parse(good)
      edit(list)
      return JSON.stringify(list)
    }
    expect(await bad('cut.jsonl', `${good}\n${good.slice(0, 50)}`)).toContain('/cut.jsonl:2: not JSON')
    expect(await bad('a.jsonl', '{"chosen":"x"}')).toContain('/a.jsonl:1: example')
    expect(
      await bad(
        'b.jsonl',
        change((l) => l.rewards.push(1)),
      ),
    ).toContain('/b.jsonl:1: rewards: 3 for 2')
    expect(
      await bad(
        'c.jsonl',
        change((l) => (l.order = [0, 0])),
      ),
    ).toContain('/c.jsonl:1: order')
    expect(
      await bad(
        'd.jsonl',
        change((l) => (l.pairs[0].worse = 5)),
      ),
    ).toContain('/d.jsonl:1: pairs.0')
    expect(
      await bad(
        'e.jsonl',
        change((l) => (l.sft.index = 2)),
      ),
    ).toContain('/e.jsonl:1: sft.index')
    expect(
      await bad(
        'f.jsonl',
        change((l) => (l.typo = 1)),
      ),
    ).toContain('/f.jsonl:1:')
    expect(
      await bad(
        'g.jsonl',
        change((l) => (l.pairs[0].belief = 0.2)),
      ),
    ).toContain('/g.jsonl:1: pairs.0.belief')
    expect(await bad('h.jsonl', `${good}\n\n${good}\n`)).toBe('read')
  })

  test('a file that is not there, or is a folder, is said plainly', async () => {
    await expect(collect(join(folder, 'none.jsonl'))).rejects.toMatchObject({
      name: 'ClhaError',
      exitCode: 2,
    })
    await expect(collect(folder)).rejects.toMatchObject({ name: 'ClhaError' })
  })

  test('reading may stop early', async () => {
    const path = join(folder, 'many.jsonl')
    await writeRankedJsonl(
      path,
      Array.from({ length: 2000 }, () => three()[0]),
    )
    let n = 0
    for await (const _ of readRankedJsonl(path)) if (++n === 3) break
    expect(n).toBe(3)
  })
})
