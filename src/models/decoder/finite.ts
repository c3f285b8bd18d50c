/** Damaged weights show in what the model says: its outputs are not finite. */
import { numericsError } from '../../errors.js'
import { singleSequence } from '../../nn/layout.js'
import { noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { type Decoder, decode, logits } from './decoder.js'

/** Whether no value is NaN or infinite. */
export const allFinite = (values: Tensor): boolean =>
  noGrad(() => scope(() => ops.all(ops.isFinite(values)).item() !== 0))

/**
 * @param values outputs of a model; `what` can't be done with others
 * @throws ClhaError (exit 5) where one is NaN or infinite
 */
export function requireFinite(values: Tensor, what: string): void {
  if (!allFinite(values)) throw notFinite(what)
}

export const notFinite = (what: string): Error =>
  numericsError(
    `the logits of the model are not finite: ${what}`,
    'its weights are damaged, or too large for this dtype: fetch the model again, or set dtype: float32',
  )

/** Asks a language model for one token. @throws ClhaError (exit 5) where its logits are not finite */
export function requireFiniteOutput(model: Decoder): void {
  noGrad(() =>
    scope(() => requireFinite(logits(model, decode(model, singleSequence([0]))), 'it can not answer')),
  )
}
