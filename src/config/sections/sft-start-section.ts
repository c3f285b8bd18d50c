/** Config section: the SFT start that `clha align` puts before the alignment. */
import { nonNegative, oneOrMany, positive, text } from '../../value-shapes.js'

export const sftStartSection = {
  sft_dataset: oneOrMany(text())
    .optional()
    .describe('demonstrations for the SFT start; unset: the chosen answers of train_dataset'),
  sft_learning_rate: positive().default(2e-5).describe('peak learning rate of the SFT start'),
  sft_num_train_epochs: nonNegative()
    .default(1)
    .describe('passes over the demonstrations; 0: no SFT start; legacy: 0'),
}
