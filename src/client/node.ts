/** The client, in Node: the same, with a cookie jar of each channel's own and the `ws` package's socket. */
import { WebSocket as NodeWebSocket } from 'ws'
import { Channel } from './channel.ts'
import type { Platform } from './http.ts'
import type { ChannelOptions } from './state.ts'

export * from './index.ts'

/** A platform that keeps the cookies it is given: one member each. */
export function node(): Platform {
  const jar = new Map<string, string>()
  const cookie = (): Record<string, string> => (jar.size > 0 ? { cookie: [...jar].map((pair) => pair.join('=')).join('; ') } : {})
  return {
    async fetch(url, init) {
      const response = await fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...cookie() } })
      for (const header of response.headers.getSetCookie()) {
        const [pair = ''] = header.split(';')
        const equals = pair.indexOf('=')
        jar.set(pair.slice(0, equals), pair.slice(equals + 1))
      }
      return response
    },
    socket: (url) => new NodeWebSocket(url, { headers: cookie(), perMessageDeflate: false }) as unknown as WebSocket,
  }
}

/** Enters a room, and stays in it until `close()`. */
export function connect(options: ChannelOptions): Channel {
  return new Channel(node(), options)
}
