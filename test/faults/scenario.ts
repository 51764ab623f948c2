/** A fault, what must happen under it, and where it makes sense. */
import type { TransportName } from '../../src/protocol/message.ts'
import type { ServerOptions } from '../../src/server/options.ts'
import type { Stage } from './stage.ts'
import type { StoreName } from './stores.ts'

export interface Scenario {
  readonly name: string
  /** One sentence: what must happen. */
  readonly must: string
  /** Why it makes no sense here; undefined where it does. */
  readonly unfit?: (transport: TransportName, store: StoreName) => string | undefined
  /** The cells that `npm test` runs too: cheap ones. */
  readonly quick: (transport: TransportName, store: StoreName) => boolean
  /** The server is a process of its own, to be killed. */
  readonly ownProcess?: true
  /** Keeps a core busy, where the others wait most of their time: it runs in a process of its own. */
  readonly busy?: true
  /** What the server has beside the defaults. */
  readonly options?: Partial<ServerOptions>
  /** Does the harm while people talk. Then everybody is waited for, and the journals are read. */
  readonly run: (stage: Stage) => Promise<void>
}

/** The cells of these stores, by their transports. */
export const onlyOver =
  (cells: Partial<Record<StoreName, readonly TransportName[]>>): Scenario['quick'] =>
  (transport, store) =>
    cells[store]?.includes(transport) === true
