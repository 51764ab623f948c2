/** Cursors by the million, in this process: what the gates take is what the contract's grammar says, and a log resumes from it as its table says. */
import { parseCursor, parseSince } from '../../src/protocol/cursor.ts'
import { parseKnown } from '../../src/protocol/version.ts'
import { Problem } from '../../src/protocol/problem.ts'
import type { Batch } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { cursorInput, versionInput } from './cursor-inputs.ts'
import { Random } from './random.ts'

const room = 'r'
const author = { id: 'm_fuzz00000001', name: 'Fuzz' }
/** 20 were said, 8 are kept. */
const said = 20
const kept = 8

/** A log that has forgotten its beginning, and every cursor that it ever gave. */
export class CursorSubject {
  readonly #store = new MemoryStore({ keepMessages: kept })
  readonly #given: string[] = []

  static async make(): Promise<CursorSubject> {
    const subject = new CursorSubject()
    subject.#given.push((await subject.#store.read(room, undefined)).cursor)
    for (let seq = 1; seq <= said; seq++) {
      const appended = await subject.#store.append(room, author, { id: `message-${seq}`, text: `${seq}` })
      if (appended.outcome !== 'mismatch') subject.#given.push(appended.ack.cursor)
    }
    return subject
  }

  /** What is wrong with what becomes of input `number`, which is returned beside it; undefined where nothing is. */
  async fault(seed: number, number: number): Promise<{ readonly input: string; readonly fault?: string }> {
    const random = new Random(seed, 'cursor', number)
    if (random.chance(0.15)) {
      const input = versionInput(random, [`${this.#given[0]?.slice(0, 12)}.3`])
      return { input, ...because(knownFault(input)) }
    }
    const input = cursorInput(random, this.#given)
    return { input, ...because((await this.#resumed(input)) ?? undefined) }
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #resumed(input: string): Promise<string | undefined> {
    const right = isCursor(input)
    if (input !== 'earliest' && (parseCursor(input) !== undefined) !== right) return `parsed, where the grammar says ${right}`
    let batch: Batch
    try {
      parseSince(input)
      batch = await this.#store.read(room, input)
    } catch (error) {
      const refused = error instanceof Problem && error.code === 'invalid-cursor'
      return refused && !right && input !== 'earliest' ? undefined : `threw ${String(error)}`
    }
    if (input !== 'earliest' && !right) return 'was taken, and is none'
    const due = this.#due(input)
    const got = JSON.stringify([batch.gap ?? null, batch.messages.map(({ seq }) => seq), batch.cursor])
    return got === due ? undefined : `got ${got}, due was ${due}`
  }

  /** Contract §4, row by row, on what this log is known to be. */
  #due(input: string): string {
    const due = (from: number, gap: Batch['gap'] | null = null): string =>
      JSON.stringify([gap, Array.from({ length: said - from }, (_, index) => from + 1 + index), this.#given[said]])
    const start = said - kept
    if (input === 'earliest') return due(start)
    const [epoch, seqText, tag] = input.split('.')
    const seq = Number(seqText)
    if (epoch !== this.#given[0]?.split('.')[0]) return due(start, { reason: 'epoch' })
    if (seq > said) return due(start, { reason: 'ahead' })
    if (seq < start) return due(start, { reason: 'trimmed', missed: start - seq })
    return this.#given[seq]?.split('.')[2] === tag ? due(seq) : due(start, { reason: 'rollback' })
  }
}

const because = (fault: string | undefined): { readonly fault?: string } => (fault === undefined ? {} : { fault })

const letters = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')
const spelled = (text: string, length: number): boolean => text.length === length && text.split('').every((letter) => letters.has(letter))
const counted = (text: string): boolean =>
  text === '0' ||
  (text.length <= 15 && text !== '' && !text.startsWith('0') && text.split('').every((digit) => digit >= '0' && digit <= '9'))

/** Contract §2, letter by letter and without a regular expression. */
function isCursor(text: string): boolean {
  const [epoch = '', seq = '', tag = '', ...more] = text.split('.')
  return more.length === 0 && spelled(epoch, 12) && counted(seq) && spelled(tag, 6)
}

function knownFault(input: string): string | undefined {
  const [epoch = '', number = '', ...more] = input.split('.')
  const right = input === '0' || (more.length === 0 && spelled(epoch, 12) && counted(number))
  try {
    return parseKnown('members', input) === input && right ? undefined : 'was taken, and is no version'
  } catch (error) {
    return error instanceof Problem && error.code === 'invalid-request' && !right ? undefined : `threw ${String(error)}`
  }
}
