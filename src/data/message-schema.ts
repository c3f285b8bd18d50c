/** What a message of a file must hold, for zod. */
import { z } from 'zod'
import { ROLES } from '../dialogue.js'

export const messageFields = { role: z.enum(ROLES), content: z.string() }
