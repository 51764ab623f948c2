/** Ours over bare lines: what is left when a wire adds nothing (`peers/lines.ts`). */
import type { Dialect } from './dialect.ts'
import { fourwires } from './fourwires.ts'

export const lines: Dialect = {
  ...fourwires,
  wires: ['sse'],
  subscribe: (_, { room }) => ({ path: `/rooms/${room}/lines` }),
}
