/** Config section: where a training spends its time. */
import { z } from 'zod'

export const profileSection = {
  profile: z
    .boolean()
    .default(false)
    .describe(
      'record a few steps, operator by operator: profile.json (Chrome trace) and profile.txt in the run',
    ),
}
