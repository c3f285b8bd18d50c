/** Every test of this suite runs on the first GPU; without one the suite fails and says why. */
import { chooseDevice, useDevice } from '../../src/tensor/index.js'

useDevice(chooseDevice(process.env.CLHA_DEVICE ?? 'cuda'))
