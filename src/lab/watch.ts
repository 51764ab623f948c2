/** What the viewers of one session are told: what has changed, a few times a second, and the bytes of a block when asked. */
import type { Connection, Ear } from './connection.ts'
import type { Block, BlockBytes, BytesQuestion, ChaosNow, Report } from './events.ts'

/** Blocks in a report; of more only the number is told. */
const blocksPerReport = 100
/** Bytes of blocks kept for a session, to be looked at; and for all sessions that are watched: of many each has its share. */
const keptBytes = 262_144
const allKeptBytes = 67_108_864
/** With so many bytes waiting a viewer reads too slowly to be told more. */
const viewerBytes = 262_144

/** Where reports go. */
export interface Viewer {
  /** Bytes accepted and not yet taken by the network. */
  readonly waiting: number
  report(report: Report): void
  /** What the session does to its connections: at first, and when it changes. */
  tell(now: ChaosNow): void
}

/** What a viewer has not been told yet. */
interface Told {
  /** Blocks. */
  missed: number
  /** All connections, not only those that changed. */
  whole: boolean
  behind: ChaosNow | undefined
}

export class Watch implements Ear {
  readonly #sessions: () => number
  readonly #viewers = new Map<Viewer, Told>()
  readonly #changed = new Set<Connection>()
  readonly #kept = new Map<string, Buffer>()
  readonly #lost = new Map<number, Connection>()
  #keptBytes = 0
  #blocks: Block[] = []
  #skipped = 0

  /** `sessions` says how many are watched now. */
  constructor(sessions: () => number) {
    this.#sessions = sessions
  }

  get viewers(): number {
    return this.#viewers.size
  }

  add(viewer: Viewer): void {
    this.#viewers.set(viewer, { missed: 0, whole: true, behind: undefined })
  }
  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer)
  }

  /** Tells every viewer; one that reads too slowly once it reads on, and only what holds then. */
  announce(now: ChaosNow): void {
    for (const [viewer, state] of this.#viewers) {
      state.behind = viewer.waiting > viewerBytes ? now : undefined
      if (state.behind === undefined) viewer.tell(now)
      else state.whole = true
    }
  }

  changed(connection: Connection): void {
    this.#changed.add(connection)
  }

  block(block: Block, bytes: Buffer): void {
    if (this.#blocks.length < blocksPerReport) this.#blocks.push(block)
    else this.#skipped++
    this.#kept.set(keyOf(block), starred(block, bytes))
    this.#keptBytes += bytes.length
    const most = Math.min(keptBytes, allKeptBytes / this.#sessions())
    for (const [key, oldest] of this.#kept) {
      if (this.#keptBytes <= most) break
      this.#kept.delete(key)
      this.#keptBytes -= oldest.length
    }
  }

  /** It is not theirs to see any more: what was kept of it goes, and the viewers are told once. */
  lose(connection: Connection): void {
    this.#changed.delete(connection)
    this.#blocks = this.#blocks.filter((block) => block.connection !== connection.id)
    for (const [key, bytes] of this.#kept) {
      if (!key.startsWith(`${connection.id}.`)) continue
      this.#kept.delete(key)
      this.#keptBytes -= bytes.length
    }
    this.#lost.set(connection.id, connection)
  }

  bytesOf({ connection, block }: BytesQuestion): BlockBytes {
    const bytes = this.#kept.get(keyOf({ connection, block }))
    return { type: 'bytes', connection, block, ...(bytes && { base64: bytes.toString('base64') }) }
  }

  /** Tells every viewer what has changed; `open` is asked for who has heard nothing yet, or missed something. */
  tell(open: () => Iterable<Connection>, observer: Report['observer']): void {
    const news = this.#changed.size + this.#lost.size + this.#blocks.length > 0
    const at = performance.now()
    for (const [viewer, state] of this.#viewers) {
      if (!news && !state.whole) continue
      if (viewer.waiting > viewerBytes) {
        state.missed += this.#blocks.length + this.#skipped
        // It hears of everything once it reads on.
        state.whole = true
        continue
      }
      if (state.behind !== undefined) viewer.tell(state.behind)
      state.behind = undefined
      const connections = [...(state.whole ? new Set([...open(), ...this.#changed]) : this.#changed)].map(({ state: now }) => now)
      const lost = [...this.#lost.values()].map(({ state: now }) => ({ ...now, hidden: true as const }))
      const skipped = this.#skipped + state.missed
      viewer.report({ type: 'report', at, connections: [...connections, ...lost], blocks: this.#blocks, skipped, observer })
      state.missed = 0
      state.whole = false
    }
    this.#changed.clear()
    this.#lost.clear()
    this.#blocks = []
    this.#skipped = 0
  }
}

const keyOf = ({ connection, block }: { connection: number; block: number }): string => `${connection}.${block}`

const secrets = /^((?:cookie|set-cookie|authorization|proxy-authorization):)([^\r]*(?:\r\n[ \t][^\r]*)*)/gim

/** A page may see what passes, but not what its own scripts must not: cookies are HttpOnly for a reason. */
function starred({ what }: Block, bytes: Buffer): Buffer {
  if (what === 'event' || what === 'frame') return bytes
  const hide = (_all: string, name: string, value: string): string => name + value.replace(/[^\r\n\t ]/g, '*')
  const end = bytes.indexOf('\r\n\r\n')
  const head = end === -1 ? bytes : bytes.subarray(0, end)
  return Buffer.concat([Buffer.from(head.toString('latin1').replace(secrets, hide), 'latin1'), bytes.subarray(head.length)])
}
