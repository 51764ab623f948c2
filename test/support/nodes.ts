/** Several servers that share their rooms, and what stands before them: one server to those who use it, whichever answers. */
import type { AppOptions } from '../../src/server/app.ts'
import { startServer, type TestServer } from './server.ts'
import { startTurns, type Turns } from './turns.ts'

export interface Nodes extends TestServer {
  readonly servers: readonly TestServer[]
  readonly turns: Turns
}

/** What makes of a process a node among others. */
export type NodeParts = Required<Pick<AppOptions, 'store' | 'attendance'>>

/** Each is closed with all of them, politely; `at` is the port before them. */
export async function startNodes(parts: readonly NodeParts[], options: AppOptions = {}, at = 0): Promise<Nodes> {
  const shared = { sessionSecret: 'the same secret at all nodes', ...options }
  const servers = await Promise.all(parts.map((part) => startServer({ ...shared, ...part })))
  const turns = await startTurns(
    servers.map(({ port }) => port),
    at,
  )
  const [first] = servers as [TestServer]
  const each = (what: (server: TestServer) => Promise<unknown>): Promise<void> => Promise.all(servers.map(what)).then(() => {})
  const close = async (): Promise<void> => {
    await each((server) => server.close())
    await turns.close()
  }
  return {
    url: `http://127.0.0.1:${turns.port}`,
    port: turns.port,
    app: first.app,
    store: first.store,
    servers,
    turns,
    cut: () => {
      turns.cut()
      for (const server of servers) server.cut()
    },
    connections: async () => (await Promise.all(servers.map((server) => server.connections()))).reduce((sum, held) => sum + held, 0),
    quiet: () => each((server) => server.quiet()),
    close,
    [Symbol.asyncDispose]: close,
  }
}
