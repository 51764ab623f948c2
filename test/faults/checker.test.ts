/** The checker of journals: silent where every promise was kept, and not where one was broken. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { check, holds, type Verdict } from '../support/checker.ts'
import { type Entry, parseJournal } from '../support/journal.ts'
import { journalOf, steps } from '../support/model-run.ts'

type Count = Exclude<keyof Verdict, 'wrong'>
type Did<Kind extends Entry['did']> = Extract<Entry, { readonly did: Kind }>

/** Changes one line of a kind, drawn among those that qualify; undefined where there is none. */
function breakOne<Kind extends Entry['did']>(
  did: Kind,
  change: (entry: Did<Kind>, index: number, entries: readonly Entry[]) => readonly Entry[],
  qualifies: (entry: Did<Kind>, index: number, entries: readonly Entry[]) => boolean = () => true,
) {
  return (entries: readonly Entry[], draw: number): Entry[] | undefined => {
    const chosen = entries.flatMap((entry, index) => (entry.did === did && qualifies(entry as Did<Kind>, index, entries) ? [index] : []))
    const index = chosen[draw % Math.max(1, chosen.length)]
    if (index === undefined) return undefined
    return [...entries.slice(0, index), ...change(entries[index] as Did<Kind>, index, entries), ...entries.slice(index + 1)]
  }
}

const cursorWith = (cursor: string, seq: number, tag?: string): string => {
  const [epoch, , its] = cursor.split('.')
  return `${epoch}.${seq}.${tag ?? its}`
}

/** It stands there when all is over, in a log that never went back. */
const isAtLast = ({ ack, text }: Did<'acked'>, _index: number, all: readonly Entry[]): boolean =>
  all.some((each) => each.who === 'the log' && each.did === 'saw' && each.seq === ack.seq && each.text === text) &&
  !all.some((each) => each.did === 'gap' && (each.reason === 'rollback' || each.reason === 'ahead'))

/** Nothing stands in two logs: then what was no longer kept had not been shown from another. */
const inOneLog = ({ reason }: Did<'gap'>, _index: number, all: readonly Entry[]): boolean =>
  reason === 'trimmed' && !all.some((each) => each.did === 'gap' && each.reason === 'epoch')

/** Each way to break a promise, and where it must show. */
const broken: Readonly<Record<string, readonly [Count | 'any', ReturnType<typeof breakOne>]>> = {
  'a message that was not shown': ['any', breakOne('saw', () => [])],
  'a message that was shown twice': ['repeated', breakOne('saw', (entry) => [entry, entry])],
  'a message that was kept again with another id': [
    'repeated',
    breakOne('saw', (entry) => [entry, { ...entry, id: 'id-again', seq: entry.seq + 1 }]),
  ],
  'a message shown before the one that it follows': [
    'reordered',
    (entries, draw) => {
      const pairs = entries.flatMap(({ did, who }, index) => {
        const next = entries[index + 1]
        return did === 'saw' && next?.did === 'saw' && next.who === who ? [index] : []
      })
      const index = pairs[draw % Math.max(1, pairs.length)]
      if (index === undefined) return undefined
      return [...entries.slice(0, index), entries[index + 1] as Entry, entries[index] as Entry, ...entries.slice(index + 2)]
    },
  ],
  'another text than was said': ['disagreements', breakOne('saw', (entry) => [{ ...entry, text: `${entry.text}�` }])],
  'another message in its place': [
    'any',
    breakOne(
      'saw',
      (entry) => [{ ...entry, id: 'id-other', text: 'text 0' }],
      ({ text, id, seq }, _index, all) =>
        text !== 'text 0' && all.some((each) => each.who === 'the log' && each.did === 'saw' && each.id === id && each.seq === seq),
    ),
  ],
  'another log, and no gap told': [
    'holes',
    breakOne(
      'gap',
      () => [],
      ({ reason }) => reason === 'epoch',
    ),
  ],
  'messages no longer kept, and no gap told': ['holes', breakOne('gap', () => [], inOneLog)],
  'a gap that names too few': ['holes', breakOne('gap', (entry) => [{ ...entry, missed: (entry.missed ?? 0) - 1 }], inOneLog)],
  'an acknowledgement of a place where something else stands': [
    'disagreements',
    breakOne(
      'acked',
      (entry) => {
        const seq = entry.ack.seq + 1
        return [{ ...entry, ack: { ...entry.ack, seq, cursor: cursorWith(entry.ack.cursor, seq, '______') } }]
      },
      isAtLast,
    ),
  ],
  'an acknowledgement of what is in no log': [
    'any',
    breakOne('acked', (entry) => [entry, { ...entry, ack: { ...entry.ack, id: 'id-never' } }], isAtLast),
  ],
  'a message that was refused': [
    'disagreements',
    breakOne(
      'attempted',
      (entry) => [entry, { ...entry, did: 'refused' }],
      ({ text }, _index, all) => all.some((each) => each.did === 'saw' && each.text === text),
    ),
  ],
  'a reader that stays and is told no more': [
    'any',
    (entries) => {
      const last = entries.findLastIndex(({ did, who }) => did === 'read' && who === 'reader 0')
      const read = entries[last]
      const shown = entries.slice(last).some(({ did, who }) => did === 'saw' && who === 'reader 0')
      if (read?.did !== 'read' || read.messages === 0 || !shown) return undefined
      return entries.filter(({ who }, index) => who !== 'reader 0' || index < last)
    },
  ],
}

describe('what the journals of a run say', () => {
  it('is that nothing is wrong, where every promise was kept: over trims, new logs, logs that went back, leaving and coming back', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const verdict = check(journalOf(given))
        expect(verdict.wrong).toEqual([])
        expect(holds(verdict)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it.each(Object.entries(broken))('is what is wrong: %s', (_what, [count, harm]) => {
    let found = 0
    fc.assert(
      fc.property(steps, fc.nat(), (given, draw) => {
        // Of a log that went back, and of which nothing is left, nobody can say any more what stood there.
        const wrong = harm(journalOf(given.filter(({ does }) => does !== 'go-back')), draw)
        if (wrong === undefined) return
        found++
        const verdict = check(wrong)
        expect(holds(verdict)).toBe(false)
        if (count !== 'any') expect(verdict[count]).toBeGreaterThan(0)
      }),
      { numRuns: 300, seed: 1 },
    )
    expect(found).toBeGreaterThan(10)
  })

  it('counts what was acknowledged, shown and told', () => {
    const entries = journalOf([
      { does: 'publish', who: 0, acked: true },
      { does: 'publish', who: 1, acked: true },
      { does: 'begin-again' },
      { does: 'publish', who: 0, acked: true },
    ])
    // Three readers were told of the new log; they never saw the old one's messages, and the one who reads at last sees one.
    expect(check(entries)).toMatchObject({ acked: 3, delivered: 4, gaps: 3, wrong: [] })
  })

  it('is what is wrong where many were shown the same, and one of them another text, or told another tag', () => {
    const begun = journalOf([
      { does: 'publish', who: 0, acked: true },
      { does: 'publish', who: 0, acked: true },
    ])
    const line = begun.filter(({ who, did }) => who === 'the log' && did !== 'left')
    const many = (one: (entry: Entry) => Entry = (entry) => entry): Entry[] => [
      ...begun,
      ...Array.from({ length: 50 }, (_, index) => `cut at ${index}`).flatMap((who) =>
        line.map((entry) => ({ ...(who === 'cut at 21' ? one(entry) : entry), who })),
      ),
    ]
    const said = begun.flatMap((entry) => (entry.did === 'attempted' ? [entry.text] : []))
    const anotherText = (entry: Entry): Entry => (entry.did === 'saw' ? { ...entry, text: said[2 - entry.seq] ?? '' } : entry)
    const anotherTag = (entry: Entry): Entry => (entry.did === 'read' ? { ...entry, cursor: cursorWith(entry.cursor, 2, '______') } : entry)
    expect(check(many()).wrong).toEqual([])
    expect(check(many(anotherText)).disagreements).toBeGreaterThan(0)
    expect(check(many(anotherTag)).disagreements).toBeGreaterThan(0)
  })

  it('can be written as lines and read again', () => {
    const entries = journalOf([{ does: 'publish', who: 0, acked: true }])
    expect(parseJournal(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))).toEqual(entries)
  })

  it('is nothing where a log went back and everybody was told, and something where nobody was', () => {
    const entries = journalOf([
      ...Array.from({ length: 5 }, () => ({ does: 'publish' as const, who: 0, acked: true })),
      { does: 'go-back', by: 3, more: 5 },
    ])
    expect(entries.filter(({ did }) => did === 'gap')).toHaveLength(3)
    expect(check(entries).wrong).toEqual([])
    expect(holds(check(entries.filter(({ did }) => did !== 'gap')))).toBe(false)
  })
})
