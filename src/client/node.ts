/** The client, in Node: the same, with a cookie jar of each channel's own and the `ws` package's socket. */
import { WebSocket as NodeWebSocket } from 'ws'
import { Channel } from './channel.ts'
import type { Platform } from './http.ts'
import type { ChannelOptions } from './state.ts'

export * from './index.ts'

export interface NodeOptions extends ChannelOptions {
  /** Sent with every request and handshake: what signs in to the application around the rooms. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface NodePlatform extends Platform {
  /** Forgets its cookies: somebody else from now on. */
  forget(): void
}

/** A platform that keeps the cookies it is given, each a member of its own. */
export function node(headers: Readonly<Record<string, string>> = {}): NodePlatform {
  const jar = new Map<string, string>()
  const carried = (): Record<string, string> => {
    const cookie = [...(headers['cookie'] === undefined ? [] : [headers['cookie']]), ...[...jar].map((pair) => pair.join('='))].join('; ')
    return { ...headers, ...(cookie !== '' && { cookie }) }
  }
  return {
    forget: () => jar.clear(),
    async fetch(url, init) {
      const response = await fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...carried() } })
      for (const header of response.headers.getSetCookie()) {
        const [pair = ''] = header.split(';')
        const equals = pair.indexOf('=')
        jar.set(pair.slice(0, equals), pair.slice(equals + 1))
      }
      return response
    },
    socket: (url) => new NodeWebSocket(url, { headers: carried(), perMessageDeflate: false }) as unknown as WebSocket,
  }
}

/** Enters a room, and stays in it until `close()`. */
export function connect(options: NodeOptions): Channel {
  return new Channel(node(options.headers), options)
}
