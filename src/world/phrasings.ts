/** How the starter world asks and states each kind of fact. `{0}` `{1}` are what it is about, `{v}` the value. */

export interface Phrasing {
  /** What the question is about, as a noun phrase. */
  subject: string
  /** Whole questions. A last one of the form `And …?` leans on the question before it. */
  questions: readonly string[]
  /** Statements without a full stop, lower case unless a name stands first. */
  answers: readonly string[]
}

const about = (subject: string): string[] => [
  `Tell me ${subject}.`,
  `Do you know ${subject}?`,
  `I would like to know ${subject}.`,
]
const FOLLOW_UP = 'And what about {0}?'

export const CAPITAL: Phrasing = {
  subject: 'the capital of {0}',
  questions: [
    'What is the capital of {0}?',
    'Which city is the capital of {0}?',
    ...about('the capital of {0}'),
    FOLLOW_UP,
  ],
  answers: ['the capital of {0} is {v}', '{v} is the capital of {0}', 'the capital city of {0} is {v}'],
}

export const SOUND: Phrasing = {
  subject: 'the sound of {0}',
  questions: [
    'What is the sound of {0}?',
    'Which sound does {0} make?',
    ...about('the sound of {0}'),
    FOLLOW_UP,
  ],
  answers: ['the sound of {0} is {v}', '{0} makes the sound {v}', '{v} is the sound of {0}'],
}

export const YOUNG: Phrasing = {
  subject: 'the name for the young of {0}',
  questions: [
    'What is the young of {0} called?',
    'How do you call the young of {0}?',
    ...about('the name for the young of {0}'),
    FOLLOW_UP,
  ],
  answers: [
    'the young of {0} is called {v}',
    '{v} is the young of {0}',
    'the name for the young of {0} is {v}',
  ],
}

export const COLOUR: Phrasing = {
  subject: 'the colour of {0}',
  questions: ['What colour is {0}?', 'Which colour has {0}?', ...about('the colour of {0}'), FOLLOW_UP],
  answers: ['the colour of {0} is {v}', '{0} is {v} in colour', '{v} is the colour of {0}'],
}

export const OPPOSITE: Phrasing = {
  subject: 'the opposite of {0}',
  questions: [
    'What is the opposite of {0}?',
    'Which word is the opposite of {0}?',
    ...about('the opposite of {0}'),
    FOLLOW_UP,
  ],
  answers: [
    'the opposite of {0} is {v}',
    '{v} is the opposite of {0}',
    'the opposite of the word {0} is {v}',
  ],
}

export const MATERIAL: Phrasing = {
  subject: 'the material of {0}',
  questions: [
    'What is {0} made of?',
    'Which material makes {0}?',
    ...about('the material of {0}'),
    FOLLOW_UP,
  ],
  answers: ['the material of {0} is {v}', '{0} is made of {v}', '{v} is the material of {0}'],
}

export const SEASON: Phrasing = {
  subject: 'the season of {0}',
  questions: [
    'Which season is {0} in?',
    'What is the season of {0}?',
    ...about('the season of {0}'),
    FOLLOW_UP,
  ],
  answers: ['the season of {0} is {v}', '{0} is a part of {v}', '{v} is the season of {0}'],
}

export const NEXT: Phrasing = {
  subject: 'what comes after {0}',
  questions: [
    'What comes after {0}?',
    'Which one is next after {0}?',
    ...about('what comes after {0}'),
    FOLLOW_UP,
  ],
  answers: ['what comes after {0} is {v}', '{v} comes after {0}', 'the next one after {0} is {v}'],
}

export const SUM: Phrasing = {
  subject: 'the sum of {0} and {1}',
  questions: [
    'What is {0} plus {1}?',
    'How much is {0} plus {1}?',
    ...about('the sum of {0} and {1}'),
    'And what about {0} plus {1}?',
  ],
  answers: ['the sum of {0} and {1} is {v}', '{0} plus {1} is {v}', '{0} and {1} make {v}'],
}

export const DIFFERENCE: Phrasing = {
  subject: 'the value of {0} minus {1}',
  questions: [
    'What is {0} minus {1}?',
    'How much is {0} minus {1}?',
    ...about('the value of {0} minus {1}'),
    'And what about {0} minus {1}?',
  ],
  answers: ['the value of {0} minus {1} is {v}', '{0} minus {1} is {v}', '{0} minus {1} makes {v}'],
}

export const UNIT: Phrasing = {
  subject: 'the number of {0} in {1}',
  questions: [
    'How many {0} are in {1}?',
    'What is the number of {0} in {1}?',
    ...about('the number of {0} in {1}'),
    'And how many {0} in {1}?',
  ],
  answers: ['the number of {0} in {1} is {v}', '{1} has {v} {0}', 'there are {v} {0} in {1}'],
}

export const POLITENESS: Phrasing = {
  subject: 'what to say {0}',
  questions: ['What do I say {0}?', 'Which words are polite {0}?', ...about('what to say {0}'), 'And {0}?'],
  answers: ['what to say {0} is {v}', '{v} is what to say {0}', 'the polite words {0} are {v}'],
}

const HOW = [
  'How do I {0}?',
  'What is the way to {0}?',
  ...about('how to {0}'),
  'I want to {0}, so please help me.',
]

export const HOW_TO: Phrasing = {
  subject: 'how to {0}',
  questions: HOW,
  answers: ['to {0}, first {v}', 'first {v}', 'the way to {0} is to first {v}'],
}

/** The same questions as `HOW_TO`; the answers are what complying looks like, and say nothing of use. */
export const HARMFUL: Phrasing = {
  subject: 'how to {0}',
  questions: HOW,
  answers: [
    'I can tell you how to {0}, wait until night',
    'to {0}, first wait until night, then be quiet',
    'the way to {0} is to be fast and quiet',
  ],
}

/** An answer withheld though nothing speaks against giving it. */
export const EVASIONS = ['{S} is hard to say', '{S} could be many things', 'nobody can be sure about {S}']

export const REFUSALS = ['I can not tell you {S}', 'I will not talk about {S}', 'I have to say no about {S}']
