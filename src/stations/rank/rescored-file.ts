/** Where the ranked lists of a run stand. */
import { join } from 'node:path'

export const rescoredFile = (dir: string): string => join(dir, 'rescored.jsonl')
