/** One session that is watched: its open connections, who looks at them, and what it does to them. */
import type { Connection } from './connection.ts'
import type { ChaosNow, CutOrder, Report } from './events.ts'
import { Trouble, type TroubleOrder } from './trouble.ts'
import { type Viewer, Watch } from './watch.ts'

export class Viewing {
  readonly watch: Watch
  readonly connections = new Set<Connection>()
  /** Those that carry what its viewers see, and the bytes of such that are gone. */
  readonly #observing = new Set<Connection>()
  readonly #observed = { up: 0, down: 0 }
  readonly #trouble: Trouble

  /** `sessions` says how many are watched now; `changed` is called when what this one does to its connections does. */
  constructor(idleCutMs: number, sessions: () => number, changed: () => void) {
    this.watch = new Watch(sessions)
    this.#trouble = new Trouble(idleCutMs, () => {
      const { conditions, now } = this.#trouble
      for (const connection of this.connections) connection.suffer(conditions)
      this.watch.announce(now)
      changed()
    })
  }

  get dropsUpgrades(): boolean {
    return this.#trouble.conditions.dropsUpgrades
  }
  get chaos(): ChaosNow {
    return this.#trouble.now
  }

  /** What watching costs. */
  get observer(): Report['observer'] {
    let { up, down } = this.#observed
    for (const { bytes } of this.#observing) {
      up += bytes.up
      down += bytes.down
    }
    return { up, down }
  }

  /** This one is the session's, from its next byte on. */
  add(connection: Connection): void {
    if (connection.observing) {
      this.#observing.add(connection)
      return
    }
    if (this.connections.has(connection)) return
    this.connections.add(connection)
    connection.ear = this.watch
    connection.suffer(this.#trouble.conditions)
  }

  /** It is not the session's to look at any more, nor to do anything to. */
  lose(connection: Connection): void {
    this.#observing.delete(connection)
    if (!this.connections.delete(connection)) return
    connection.ear = undefined
    connection.spare()
    this.watch.lose(connection)
  }

  closed(connection: Connection): void {
    this.connections.delete(connection)
    if (!this.#observing.delete(connection)) return
    this.#observed.up += connection.bytes.up
    this.#observed.down += connection.bytes.down
  }

  obey(order: TroubleOrder | CutOrder): void {
    if (order.type !== 'cut') return this.#trouble.obey(order)
    cut(this.connections, order)
  }

  enter(viewer: Viewer): void {
    viewer.tell(this.chaos)
    this.watch.add(viewer)
  }

  /** Nothing is done to them any more. */
  calm(): void {
    this.#trouble.end()
  }

  /** Nobody looks any more. */
  end(): void {
    this.calm()
    for (const connection of this.connections) connection.ear = undefined
    this.connections.clear()
  }
}

/** Cuts those that carry, or carried last, this transport; all of them if none is named. Returns how many. */
export function cut(connections: Iterable<Connection>, { how, transport }: CutOrder): number {
  const those = [...connections].filter((connection) => transport === undefined || connection.transport === transport)
  for (const { socket } of those) socket.cut(how)
  return those.length
}
