/** From what a file says to the log that it was. */
import { drawEpoch, originTag } from '../../protocol/cursor.ts'
import { Log } from '../log.ts'
import { isMessage, isOrigin, type Kept, type Origin, type Spelled } from './lines.ts'

/**
 * The log, as old as the wall clock says: between two processes there is no other. What lies in the future is as old as now.
 * `holed`: something that was written is missing. What can be read is kept then, numbered anew under a new epoch: to every
 * reader that is the gap `epoch`. Under the old one who had read less than was lost would go on over the hole unawares.
 */
export function replay({ kept, state }: Spelled): { readonly log: Log; readonly holed: boolean } {
  const now = performance.now()
  const sinceOf = (at: number): number => now - Math.max(0, Date.now() - at)
  const holed = state === 'damaged' || !follows(kept)
  const begin = kept.find(isOrigin) ?? originOf(kept)
  const log = new Log(sinceOf(begin.at), holed ? { ...begin, epoch: drawEpoch() } : begin)
  for (const line of kept) {
    if (isOrigin(line)) continue
    const since = sinceOf(line.at)
    if (!isMessage(line)) {
      log.addId(line, since)
      continue
    }
    const { tag, ...message } = line
    log.add({ message: holed ? { ...message, seq: log.head + 1 } : message, tag }, since)
  }
  return { log, holed }
}

/** Of a log whose own beginning is lost: behind the ids whose messages were gone, so that none of them is at another's place. */
function originOf(kept: readonly Kept[]): Origin {
  const seq = kept.reduce((last, line) => (isOrigin(line) || isMessage(line) ? last : Math.max(last, line.seq)), 0)
  return { epoch: '', seq, tag: originTag, at: Date.now() }
}

/** One beginning, then messages that count on from it without a hole? */
function follows([first, ...rest]: readonly Kept[]): boolean {
  if (first === undefined || !isOrigin(first)) return false
  let head = first.seq
  return rest.every((line) => !isOrigin(line) && (!isMessage(line) || line.seq === ++head))
}
