/** Which keys came before, at 12 to 40 bytes a key however long the keys are: data may be larger than memory. */
import { hash64 } from '../../random.js'

export interface Seen {
  /** Where the key stood first; undefined where it is new. */
  first(key: string, place: number): number | undefined
}

/** Keys are compared by 64 bits of SHA-256: one false match in a million keys has a chance of 3e-8. */
export function createSeen(): Seen {
  let keys = new BigUint64Array(1024)
  let places = new Float64Array(1024)
  let count = 0
  const slotOf = (key: bigint) => {
    let slot = Number(key & BigInt(keys.length - 1))
    while (keys[slot] !== 0n && keys[slot] !== key) slot = (slot + 1) & (keys.length - 1)
    return slot
  }
  const grow = () => {
    const [oldKeys, oldPlaces] = [keys, places]
    keys = new BigUint64Array(oldKeys.length * 2)
    places = new Float64Array(oldKeys.length * 2)
    oldKeys.forEach((key, i) => {
      if (key === 0n) return
      const slot = slotOf(key)
      keys[slot] = key
      places[slot] = oldPlaces[i]
    })
  }
  return {
    first(key, place) {
      const hash = hash64(key) || 1n // 0 marks a free slot
      let slot = slotOf(hash)
      if (keys[slot] === hash) return places[slot]
      if (++count > keys.length * 0.8) {
        grow()
        slot = slotOf(hash)
      }
      keys[slot] = hash
      places[slot] = place
      return undefined
    },
  }
}
