/** Every server that the bench can speak to. */
import type { Dialect } from './dialect.ts'
import { fourwires } from './fourwires.ts'
import { lines } from './lines.ts'
import { naive } from './naive.ts'
import { nchan } from './nchan.ts'
import { socketIo } from './socket-io.ts'

export type PeerName = 'fourwires' | 'lines' | 'naive' | 'socket.io' | 'nchan'

export const dialects: Readonly<Record<PeerName, Dialect>> = { fourwires, lines, naive, 'socket.io': socketIo, nchan }
