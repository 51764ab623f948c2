/**
 * How a freeze looks to two who measure. An open loop asks at its times, whatever happens; a closed loop asks again only
 * when it was answered, and so leaves out the very questions that would have waited ("coordinated omission", Tene 2013).
 */
import { counted, milliseconds } from '../units.ts'

/** A question: when it was asked, in ms from the beginning, and how long its answer took. */
export interface Sample {
  readonly at: number
  readonly ms: number
}

export interface Combs {
  /** When the freeze was asked for, and how long it held everybody up, in ms. */
  readonly freezeAt: number
  readonly frozenMs: number
  /** When we heard that it was over. */
  readonly overAt: number
  readonly open: readonly Sample[]
  readonly closed: readonly Sample[]
}

/** Both loops ask so often, in ms. */
export const askEveryMs = 250
/** The freeze is asked for between two questions, after two that show how it is without. */
const leadMs = 1.5 * askEveryMs
/** So long after the freeze both go on, to show that it is over. */
const tailMs = 2 * askEveryMs
/** An answer that took longer than this was held up: without a freeze it takes a few ms. */
export const heldUpMs = 50
/** And this one anybody notices. */
export const noticedMs = 300

/**
 * Asks in both ways while `freeze` holds up who answers. The open loop's questions are sent at their times; where the browser has no
 * connection free for one (it has six), it waits there, and its time counts as what it is, waiting.
 * @throws what `freeze` throws; a question that fails has no sample
 */
export async function measure(
  ask: () => Promise<unknown>,
  freeze: () => Promise<{ readonly ms: number }>,
  now: () => number = () => performance.now(),
): Promise<Combs> {
  const start = now()
  const open: Sample[] = []
  const closed: Sample[] = []
  const enough = new AbortController()
  const timed = async (samples: Sample[]): Promise<void> => {
    const at = now() - start
    try {
      await ask()
    } catch {
      return
    }
    samples.push({ at, ms: now() - start - at })
  }
  const waiting: Promise<void>[] = []
  const fire = (): void => void waiting.push(timed(open))
  const firing = setInterval(fire, askEveryMs)
  fire()
  const closing = loop(() => timed(closed), enough.signal)
  try {
    await pause(leadMs)
    const freezeAt = now() - start
    const { ms } = await freeze()
    const overAt = now() - start
    await pause(tailMs)
    return { freezeAt, frozenMs: ms, overAt, open, closed }
  } finally {
    clearInterval(firing)
    enough.abort()
    await Promise.all([...waiting, closing])
    open.sort((one, other) => one.at - other.at)
  }
}

/** The next only after the last one's answer, at the next of its times. */
async function loop(ask: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    const next = pause(askEveryMs)
    await ask()
    await next
    if (signal.aborted) return
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** How many of the questions that the freeze met waited longer than this. A slow machine delays others too: they are not counted. */
export const delayed = ({ freezeAt, overAt }: Combs, samples: readonly Sample[], thanMs: number): number =>
  samples.filter(({ at, ms }) => at < overAt && at + ms > freezeAt && ms > thanMs).length

/** What both saw, in three sentences. */
export function combSentence(combs: Combs): string {
  const { frozenMs, open, closed } = combs
  return (
    `The freeze held everybody up for ${milliseconds(frozenMs)}. ` +
    `An open loop, asking every ${milliseconds(askEveryMs)} whatever happens, saw ${counted(delayed(combs, open, heldUpMs), 'delayed answer')}, ` +
    `${delayed(combs, open, noticedMs)} of them over ${milliseconds(noticedMs)}. ` +
    `A closed loop, which waits for each answer before it asks again, recorded ${delayed(combs, closed, heldUpMs)}.`
  )
}
