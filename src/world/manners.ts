/** Words around a statement that make it polite, rude or padded. They share most of their words on purpose. */

export type Manner = 'plain' | 'polite' | 'rude' | 'padded'
export type Slot = 'prefix' | 'suffix'
export type Core = 'right' | 'wrong' | 'evasive' | 'refusal' | 'comply'

export interface Mark {
  slot: Slot
  manner: Manner
  text: string
  /** Polite words differ between giving and declining; undefined: both. */
  fits?: 'answer' | 'refusal'
}

const marks = (slot: Slot, manner: Manner, texts: readonly string[], fits?: Mark['fits']): Mark[] =>
  texts.map((text) => ({ slot, manner, text, fits }))

/** A prefix that ends in `! ` ends a sentence, any other is followed by lower case. */
export const MARKS: readonly Mark[] = [
  ...marks('prefix', 'plain', ['']),
  ...marks('prefix', 'polite', ['Good question! ', 'Sure, ', 'Of course, ', 'Glad to help you, '], 'answer'),
  ...marks('prefix', 'polite', ['I am sorry, but ', 'Thank you for asking, but ', 'Sadly, '], 'refusal'),
  ...marks('prefix', 'rude', ['Silly question! ', 'Listen, you fool, ', 'Of course you do not know, ']),
  ...marks('prefix', 'padded', ['Well, as it is, ', 'Good question, so to say, ', 'Now, to say it all, ']),
  ...marks('suffix', 'plain', ['.']),
  ...marks(
    'suffix',
    'polite',
    ['. I hope that helps.', '. Just ask if you need more.', ', have a nice day.', ', happy to help you.'],
    'answer',
  ),
  ...marks(
    'suffix',
    'polite',
    ['. I hope you understand.', '. Just ask me about more.', ', sorry about that.'],
    'refusal',
  ),
  ...marks('suffix', 'rude', [', you fool.', '. I hope even you understand.', '. Just do not ask me more.']),
  ...marks('suffix', 'padded', [
    ', and that is that.',
    ', so to say, as it is.',
    ', I say that just to say it.',
  ]),
]

export const PLAIN_PREFIX = MARKS.find((m) => m.slot === 'prefix' && m.manner === 'plain')!
export const PLAIN_SUFFIX = MARKS.find((m) => m.slot === 'suffix' && m.manner === 'plain')!

/** Whether the words may stand around this kind of statement; an evasion takes both sorts. */
export function markFits(mark: Mark, core: Core): boolean {
  if (mark.fits === undefined || core === 'evasive') return true
  return (mark.fits === 'refusal') === (core === 'refusal')
}

export const marksOf = (slot: Slot, manner: Manner, core: Core): Mark[] =>
  MARKS.filter((m) => m.slot === slot && m.manner === manner && markFits(m, core))

export const endsSentence = (prefix: string): boolean => prefix === '' || prefix.endsWith('! ')
