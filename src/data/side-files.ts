/** Files that clha writes beside data and names after it; they are no data. */

const ENDS = { dropped: '.dropped.jsonl', report: '.report.json', relabels: '.relabels.jsonl' } as const

/** The file of this kind beside `data`. */
export const sideFile = (data: string, kind: keyof typeof ENDS): string => `${data}${ENDS[kind]}`

/** Whether a name is that of such a file; what it is named after stands in the same folder. @param names all of the folder */
export function isSideFile(name: string, names: readonly string[]): boolean {
  const end = Object.values(ENDS).find((one) => name.endsWith(one))
  if (end === undefined) return false
  const stem = name.slice(0, -end.length)
  return names.some((other) => other !== name && (other === stem || other.startsWith(`${stem}.`)))
}
