/** Who has the key: asks the lab's routes as the presenter, or as somebody who is not. */
import type { Hall } from '../../src/lab/events.ts'
import type { TestServer } from './server.ts'

export const key = 'the-presenters-own-key'

export type Method = 'GET' | 'POST' | 'PATCH'

/** Asks as the presenter, with another key (`as`), or with none. */
export function ask(
  { url }: Pick<TestServer, 'url'>,
  method: Method,
  path: string,
  body?: object,
  { as = key, cookie }: { readonly as?: string | undefined; readonly cookie?: string } = {},
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(as !== '' && { authorization: `Bearer ${as}` }),
      ...(cookie !== undefined && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

export async function hallOf(server: Pick<TestServer, 'url'>): Promise<Hall> {
  return ((await (await ask(server, 'GET', '/lab')).json()) as { hall: Hall }).hall
}

/** Sets the hall as the presenter, and is told how it is then. */
export async function setHall(server: Pick<TestServer, 'url'>, order: object): Promise<Hall> {
  const answer = await ask(server, 'PATCH', '/lab/hall', order)
  if (!answer.ok) throw new Error(`PATCH /lab/hall: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { hall: Hall }).hall
}
