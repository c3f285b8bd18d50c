/** The chat model that `--real` starts from: set-up's own code fetches it once and keeps it in the cache. */
import { ClhaError } from '../../errors.js'
import type { ExitCode } from '../../exit-codes.js'
import { Stopped } from '../../session/stopped.js'
import type { Ui } from '../../terminal/ui.js'

interface Provider {
  provideChatModel(say: (text: string) => void): Promise<string>
}

/** What set-up throws. */
interface SetupFailure extends Error {
  hint: string
  exitCode: number
}

const isSetupFailure = (error: unknown): error is SetupFailure =>
  error instanceof Error && 'hint' in error && 'exitCode' in error

/** @returns path of a GGUF file. @throws ClhaError (exit 3, 4) as set-up fails; Stopped after a signal */
export async function chatModelFile(ui: Pick<Ui, 'line'>): Promise<string> {
  const script = new URL('../../../scripts/setup/chat-model.mjs', import.meta.url).href
  const { provideChatModel } = (await import(script)) as Provider
  let said = ''
  // The size grows by the second: what matters is said once.
  const say = (text: string) => {
    const about = text.replace(/, [\d.]+ .B so far$/, '')
    if (about !== said && about !== 'fetching') ui.line(about)
    said = about
  }
  try {
    return await provideChatModel(say)
  } catch (error) {
    if (!isSetupFailure(error)) throw error
    if (error.exitCode >= 128) throw new Stopped(error.message)
    throw new ClhaError(error.exitCode as ExitCode, error.message, error.hint)
  }
}
