/** What the hub's files are fetched with in a pipeline: the environment, the kernel's lock, the user interface. */
import type { HubSettings } from '../../hub/settings.js'
import { hubSettings } from '../../hub/settings.js'
import type { HubAccess } from '../../hub/snapshot.js'
import { takeLock } from '../../runs/lock.js'
import { bytes } from '../../show/units.js'
import { stopRequested } from '../../terminal/signals.js'
import type { Ui } from '../../terminal/ui.js'
import { throwIfStopped } from '../stopped.js'

const MEGABYTE = 1e6

/** @throws ClhaError (exit 2) for an HF_ENDPOINT that is no address */
export function hubAccess(ui: Ui, settings: HubSettings = hubSettings()): HubAccess {
  return {
    settings,
    lock: takeLock,
    warn: (text) => ui.warn(text),
    progress(total, label) {
      const bar = ui.progress(Math.ceil(total / MEGABYTE), label, 'MB')
      return {
        update(done) {
          throwIfStopped({ stopRequested })
          bar.update(Math.round(done / MEGABYTE))
        },
        done: () => {
          bar.update(Math.ceil(total / MEGABYTE))
          bar.done(bytes(total))
        },
      }
    },
  }
}
