/** The files of the page, as they lie beside this one. */
import { readFileSync } from 'node:fs'

export interface PageFile {
  type: string
  text: string
}

const FILES = {
  '/': ['vote.html', 'text/html; charset=utf-8'],
  '/vote.css': ['vote.css', 'text/css; charset=utf-8'],
  '/vote.js': ['vote.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** By the path under which they are served. */
export const pageFiles = (): Record<string, PageFile> =>
  Object.fromEntries(
    Object.entries(FILES).map(([path, [name, type]]) => [
      path,
      { type, text: readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8') },
    ]),
  )
