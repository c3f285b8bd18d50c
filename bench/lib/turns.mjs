// Contenders take turns, round by round.

/**
 * Starts contenders, lets each take its turn in every round, and stops them. One that fails, at its start or in a round, is
 * left out from there on and ends nothing else.
 * @param hands.start (contender) -> {ready, round(index), stop()}; @param hands.wait () -> before each turn, what was seen of the machine
 * @returns by contender: its rounds, what it said when it was ready, and why it failed
 */
async function sideBySide(contenders, rounds, { start, wait, say }) {
  const measured = {}
  const ready = {}
  const failed = new Map()
  const running = []
  for (const contender of contenders) {
    const { name } = contender
    say(`${name} gets ready`)
    await start(contender)
      .then((started) => running.push({ name, started }))
      .catch((error) => failed.set(name, error.message))
  }
  for (const { name, started } of running) {
    measured[name] = []
    ready[name] = started.ready
  }
  for (let index = 0; index < rounds; index++) {
    // Nobody is always first: each round begins one further on.
    const order = running.map((_, i) => running[(i + index) % running.length])
    for (const { name, started } of order) {
      if (failed.has(name)) continue
      const seen = await wait()
      say(`round ${index + 1}, ${name}`)
      await started
        .round(index)
        .then((result) => measured[name].push({ ...result, ...seen, index }))
        .catch((error) => failed.set(name, error.message))
    }
  }
  await Promise.all(running.map(({ started }) => started.stop()))
  return { measured, ready, failed }
}

/** @param apart a contender does all its rounds, and is stopped, before the next is started */
export async function takeTurns(contenders, { rounds, apart }, hands) {
  const all = { measured: {}, ready: {}, failed: new Map() }
  for (const group of apart ? contenders.map((contender) => [contender]) : [contenders]) {
    const { measured, ready, failed } = await sideBySide(group, rounds, hands)
    Object.assign(all.measured, measured)
    Object.assign(all.ready, ready)
    for (const [name, why] of failed) all.failed.set(name, why)
  }
  return all
}
