/** How long a text is, in characters and in words. */

/** Characters (code points) of a text. */
export function characters(text: string): number {
  let low = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) low++
  return text.length - low
}

/** Words: runs of anything but white space. Texts in scripts without spaces count as few. */
export const words = (text: string): number => text.match(/\S+/g)?.length ?? 0
