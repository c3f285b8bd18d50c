/** Folders to write in. */
import * as fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errorCode, systemError } from './storage-error.js'

const isFolder = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Makes a folder and its missing parents; one that is there is fine. Node's own `recursive` reports a read-only file system as
 * ENOENT, and never returns where a file system takes no folders (/proc).
 * @throws the system's error: EROFS, EACCES, ENOTDIR, EEXIST where a file has the name
 */
export function makeFolder(path: string, mkdir: (path: string) => void = fs.mkdirSync): void {
  const folder = resolve(path)
  if (isFolder(folder)) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent, mkdir)
  try {
    mkdir(folder)
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && isFolder(folder)) return
    // Its parent is there, so no name is missing: nothing can be made in it.
    if (errorCode(error) === 'ENOENT') throw systemError('EROFS', 'mkdir', folder)
    throw error
  }
}
