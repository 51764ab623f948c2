/** Reads the journals of a run and says whether I1 to I4 held (contract §13): offline, knowing nothing of how it came about. */
import { parseCursor, type Position } from '../../src/protocol/cursor.ts'
import type { Entry } from './journal.ts'
import { Delivered, type Segment, type ToldGap } from './segment.ts'

/** Zero in the first five, where the promises held. */
export interface Verdict {
  /** I1: acknowledged, not shown to a subscriber that stayed, and no gap told of it. */
  readonly lost: number
  /** I1, I2: shown a second time, with its id or with another. */
  readonly repeated: number
  /** I1: shown after what follows it, or acknowledged before what was said earlier. */
  readonly reordered: number
  /** I4: a seq that nothing stands at, in between of what was shown; a log that was left without a gap. */
  readonly holes: number
  /** I3: two say that something else stands at one place; or nobody said what somebody saw. */
  readonly disagreements: number
  /** Gaps that applications were told. */
  readonly gaps: number
  readonly acked: number
  readonly delivered: number
  /** What is wrong, a sentence each. */
  readonly wrong: readonly string[]
}

/** An acknowledgement: what stands where, and who was told so. */
interface Acked {
  readonly who: string
  readonly key: string
  readonly text: string
  readonly at: Position
  readonly order: number
}

export function check(entries: readonly Entry[]): Verdict {
  const readers = new Map<string, Delivered>()
  for (const [order, entry] of entries.entries()) {
    const reader = readers.get(entry.who) ?? new Delivered(entry.who)
    readers.set(entry.who, reader)
    reader.take(entry, order)
  }
  const everybody = [...readers.values()].filter(({ began }) => began < Infinity).map((reader) => reader.end())
  const acks = acknowledged(entries)
  const stands = whatStands(everybody, acks)
  const back = wentBack(everybody)
  const lost = everybody.flatMap((reader) =>
    acks.filter((ack) => isLost(ack, reader, everybody, stands)).map((ack) => nameLoss(ack, reader)),
  )
  const repeated = [...everybody.flatMap((reader) => reader.repeated), ...saidOnce(everybody, entries)]
  const reordered = [...everybody.flatMap((reader) => reader.reordered), ...misplaced(acks, back)]
  const holes = [...everybody.flatMap((reader) => reader.silent), ...missing(everybody, stands)]
  const disagreements = [...disagreeing(everybody, acks, back), ...unheardOf(everybody, entries)]
  return {
    lost: lost.length,
    repeated: repeated.length,
    reordered: reordered.length,
    holes: holes.length,
    disagreements: disagreements.length,
    gaps: everybody.reduce((sum, { gaps }) => sum + gaps.length, 0),
    acked: acks.length,
    delivered: everybody.reduce((sum, { sightings }) => sum + sightings.length, 0),
    wrong: [...lost, ...repeated, ...reordered, ...holes, ...disagreements],
  }
}

export const holds = (verdict: Verdict): boolean => verdict.wrong.length === 0

function acknowledged(entries: readonly Entry[]): Acked[] {
  return entries.flatMap((entry, order) => {
    if (entry.did !== 'acked') return []
    const at = parseCursor(entry.ack.cursor)
    if (at === undefined || at.seq !== entry.ack.seq) throw new Error(`no acknowledgement: ${JSON.stringify(entry)}`)
    return [{ who: entry.who, key: `${entry.member} ${entry.ack.id}`, text: entry.text, at, order }]
  })
}

const nameLoss = ({ key, text, at }: Acked, { who }: Delivered): string => `${who} never saw "${text}" (${key}), acknowledged at ${at.seq}`

/** What stands at a place of the log that was read there, as far as anybody says. */
type Standing = (segment: Segment, seq: number) => readonly string[]

function whatStands(everybody: readonly Delivered[], acks: readonly Acked[]): Standing {
  const all = everybody.flatMap(({ segments }) => segments)
  return (segment, seq) => {
    const ofLog = all.filter(({ epoch }) => epoch === segment.epoch)
    // A tag vouches for all up to its seq: where the log went back, this tells the readings of one from those of the other.
    const same = ofLog.filter(({ tags }) => [...tags].some(([at, tag]) => at >= seq && segment.tags.get(at) === tag))
    const vouched = same.flatMap(({ messages }) => messages.get(seq)?.key ?? [])
    if (vouched.length > 0) return vouched
    const acked = acks.filter(({ at }) => at.epoch === segment.epoch && at.seq === seq)
    return [...ofLog.flatMap(({ messages }) => messages.get(seq)?.key ?? []), ...acked.map(({ key }) => key)]
  }
}

/** The logs of which somebody was told that they went back. */
const wentBack = (everybody: readonly Delivered[]): ReadonlySet<string> =>
  new Set(
    everybody
      .flatMap(({ gaps }) => gaps.filter(({ reason }) => reason === 'rollback' || reason === 'ahead'))
      .map(({ before }) => before.epoch),
  )

/** It read over this place and was shown nothing, and what stands there had not been shown to it before: a repeat is dropped. */
function isHole(segment: Segment, seq: number, { shown }: Delivered, stands: Standing): boolean {
  const { began, from, end, messages } = segment
  if (seq <= from || seq > end || messages.has(seq)) return false
  return !stands(segment, seq).some((key) => (shown.get(key) ?? Infinity) < began)
}

/** Was this reader to see what was acknowledged, did not, and heard of no gap that it is in? */
function isLost({ key, at, order }: Acked, reader: Delivered, everybody: readonly Delivered[], stands: Standing): boolean {
  if (reader.shown.has(key)) return false
  const ofLog = reader.segments.filter(({ epoch }) => epoch === at.epoch)
  if (ofLog.some((segment) => isHole(segment, at.seq, reader, stands))) return true
  if (reader.gaps.some((gap) => covers(gap, at, order, key, everybody))) return false
  const [first] = reader.segments
  // Who comes after a log went back finds another there.
  if (
    reader.began > order &&
    everybody.some(({ gaps }) => gaps.some((gap) => covers(gap, at, order, key, everybody) && gap.reason !== 'trimmed'))
  )
    return false
  // Who left has not stayed; who came later begins where they came.
  if (reader.left) return false
  if (first === undefined) return true
  return first.epoch === at.epoch ? at.seq > first.from : order > reader.began
}

function covers(
  { reason, missed, before, after, order: told }: ToldGap,
  { epoch, seq }: Position,
  order: number,
  key: string,
  everybody: readonly Delivered[],
): boolean {
  if (reason === 'trimmed') return before.epoch === epoch && seq > before.end && seq <= before.end + missed
  // Whoever begins anew begins with what is kept.
  if (epoch === after.epoch && seq <= after.from) return true
  if (reason === 'epoch' && epoch === before.epoch) return true
  if (order > told) return false
  if (reason === 'epoch') return epoch !== after.epoch
  // A log that went back has lost it only if nobody finds it there who begins to read afterwards.
  return before.epoch === epoch && !everybody.some(({ began, shown }) => began > told && shown.has(key))
}

/** One writer's messages stand in the order in which they were said. */
function misplaced(acks: readonly Acked[], back: ReadonlySet<string>): string[] {
  const lasts = new Map<string, Acked>()
  return acks.flatMap((ack) => {
    const log = `${ack.who} ${ack.at.epoch}`
    const last = lasts.get(log)
    lasts.set(log, ack)
    return last !== undefined && ack.at.seq <= last.at.seq && !back.has(ack.at.epoch)
      ? [`"${ack.text}" of ${ack.who} stands before "${last.text}"`]
      : []
  })
}

/** Places that a reader read over and was shown nothing of; and messages that a gap does not count. */
function missing(everybody: readonly Delivered[], stands: Standing): string[] {
  return everybody.flatMap((reader) =>
    reader.segments.flatMap((segment) => {
      const { epoch, from, end, gap } = segment
      const skipped = gap?.reason === 'trimmed' && gap.before.epoch === epoch ? from - gap.before.end - gap.missed : 0
      const holes = skipped > 0 ? [`${reader.who} was told of ${gap?.missed} messages, and ${skipped} more are missing`] : []
      for (let seq = from + 1; seq <= end; seq++)
        if (isHole(segment, seq, reader, stands)) holes.push(`${reader.who} read over seq ${seq} of ${epoch} and was shown nothing`)
      return holes
    }),
  )
}

/** Two readings of one log that say different things of one place, where the log has not gone back in between. */
function disagreeing(everybody: readonly Delivered[], acks: readonly Acked[], back: ReadonlySet<string>): string[] {
  const all = differing(everybody)
  return all.flatMap(({ who, segment }, index) => {
    const others = all.slice(index + 1).filter((other) => other.segment.epoch === segment.epoch)
    const { messages, places, tags } = segment
    return [
      ...others.flatMap((other) => compare(segment, other.segment, back).map((what) => `${who} and ${other.who} ${what}`)),
      ...acks.flatMap(({ at, key, text, who: writer }) => {
        if (segment.epoch !== at.epoch) return []
        const [seen, tag, place] = [messages.get(at.seq), tags.get(at.seq), places.get(key)]
        const same = tag === undefined ? !back.has(at.epoch) : tag === at.tag
        if (seen !== undefined && same && (seen.key !== key || seen.text !== text))
          return [`${writer} was told that "${text}" stands at ${at.seq}, ${who} saw "${seen.text}" there`]
        if (back.has(at.epoch)) return []
        if (place !== undefined && place !== at.seq)
          return [`${writer} was told that "${text}" stands at ${at.seq}, ${who} saw it at ${place}`]
        return tag !== undefined && tag !== at.tag ? [`${writer} and ${who} have another tag for seq ${at.seq}`] : []
      }),
    ]
  })
}

/** One of all readings that say the same, word for word: thousands that resumed agree, and to compare each with each takes minutes. */
function differing(everybody: readonly Delivered[]): { readonly who: string; readonly segment: Segment }[] {
  const readings = new Map<string, { readonly who: string; readonly segment: Segment }>()
  for (const { who, segments } of everybody) {
    for (const segment of segments) {
      const { epoch, tags, messages } = segment
      const says = JSON.stringify([epoch, [...tags], [...messages].map(([seq, { key, text }]) => [seq, key, text])])
      if (!readings.has(says)) readings.set(says, { who, segment })
    }
  }
  return [...readings.values()]
}

function compare(one: Segment, other: Segment, back: ReadonlySet<string>): string[] {
  const found: string[] = []
  // A tag vouches for everything up to its seq.
  let same = -1
  for (const [seq, tag] of one.tags) {
    const its = other.tags.get(seq)
    if (its === tag) same = Math.max(same, seq)
    else if (its !== undefined && !back.has(one.epoch)) found.push(`have another tag for seq ${seq}`)
  }
  for (const [seq, { key, text }] of one.messages) {
    const its = other.messages.get(seq)
    if (its === undefined || (its.key === key && its.text === text)) continue
    if (seq <= same || !back.has(one.epoch)) found.push(`saw "${text}" and "${its.text}" at seq ${seq}`)
  }
  return found
}

/** What was said once and shown as two: it was sent again with another id. */
function saidOnce(everybody: readonly Delivered[], entries: readonly Entry[]): string[] {
  const times = new Map<string, number>()
  for (const entry of entries) if (entry.did === 'attempted') times.set(entry.text, (times.get(entry.text) ?? 0) + 1)
  return everybody.flatMap(({ who, sightings }) => {
    const keys = new Map<string, Set<string>>()
    for (const { text, key } of sightings) keys.set(text, (keys.get(text) ?? new Set()).add(key))
    return [...keys].flatMap(([text, { size }]) =>
      size > (times.get(text) ?? size) ? [`${who} saw "${text}" ${size} times, said once`] : [],
    )
  })
}

/** What was shown and never said, or said and refused. */
function unheardOf(everybody: readonly Delivered[], entries: readonly Entry[]): string[] {
  const said = new Set(entries.flatMap((entry) => (entry.did === 'attempted' ? [entry.text] : [])))
  const refused = new Set(entries.flatMap((entry) => (entry.did === 'refused' ? [entry.text] : [])))
  return everybody.flatMap(({ who, sightings }) =>
    sightings.flatMap(({ text }) => {
      if (refused.has(text)) return [`${who} saw "${text}", which was refused`]
      return said.has(text) ? [] : [`${who} saw "${text}", which nobody said`]
    }),
  )
}
