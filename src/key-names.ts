/** The one place where snake_case keys become camelCase names. Nested mappings keep their names. */

export type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

export type CamelKeys<T> = { [K in keyof T as K extends string ? Camel<K> : never]: T[K] }

export const camelCase = (key: string): string =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]|\d(?=[a-z])/g, (letter) => `_${letter.toLowerCase()}`)

export const camelKeys = <T extends object>(values: T): CamelKeys<T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [camelCase(key), value])) as CamelKeys<T>
