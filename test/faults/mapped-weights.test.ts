import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tracked } from '../helpers/children.js'
import { temporaryFolder } from '../helpers/folders.js'
import { compileSources } from '../helpers/sources.js'

const PROGRAM = `
import { openSync } from 'node:fs'
import { mapFile, ops } from './dist/tensor/index.js'
const mapped = mapFile(openSync('weights', 'r'), 0, [1 << 20], 'f32')
console.log('mapped')
process.stdin.once('data', () => console.log(ops.sum(mapped).item()))
`

test('weights that are cut short while they are in use end the program with exit 2 and a reason', async () => {
  const folder = temporaryFolder()
  compileSources(folder)
  writeFileSync(join(folder, 'weights'), Buffer.alloc(4 << 20))
  writeFileSync(join(folder, 'program.mjs'), PROGRAM)
  const child = tracked(spawn(process.execPath, ['program.mjs'], { cwd: folder }))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  await once(child.stdout, 'data')
  truncateSync(join(folder, 'weights'), 4096)
  child.stdin.end('go')
  const [code] = await once(child, 'close')
  expect(said).toContain('a file of weights became shorter while it was in use')
  expect(code).toBe(2)
})
