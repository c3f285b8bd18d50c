/** The few value shapes that the settings share. */
import { z } from 'zod'

/** A whole number of at least 1. */
export const count = () => z.int().min(1)

/** A whole number of at least 0. */
export const wholeNumber = () => z.int().min(0)

/** A number above 0. */
export const positive = () => z.number().gt(0)

/** A number of at least 0. */
export const nonNegative = () => z.number().min(0)

/** A share of something, from 0 to 1. */
export const fraction = () => z.number().min(0).max(1)

/** Text that is not empty, such as a path. */
export const text = () => z.string().min(1)

/** One value or a list of them; always a list once it is resolved, of at least `least`. */
export const oneOrMany = <T extends z.ZodType>(item: T, least = 1) =>
  z
    .union([item, z.array(item).min(least)])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[])

/** Whether a place is a server's address, not a folder or a name on the hub. */
export const isAddress = (place: string): boolean => /^https?:\/\//i.test(place)
