/** A page of another origin, where the server allows it: the CORS protocol, on every wire. */
import { expect, it } from 'vitest'
import { member, post, startServer } from '../support/server.ts'

const origin = 'https://pages.example'

it('says nothing of CORS where nothing is configured', async () => {
  await using server = await startServer()
  const response = await fetch(`${server.url}/rooms/lobby/poll`)
  expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
})

it('lets an allowed origin read, with its cookie, on every wire that answers with HTTP', async () => {
  await using server = await startServer({ allowOrigin: [origin] })
  for (const wire of ['poll', 'long-poll', 'sse']) {
    const response = await fetch(`${server.url}/rooms/lobby/${wire}`, { headers: { origin } })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('access-control-allow-credentials')).toBe('true')
    expect(response.headers.get('vary')).toContain('origin')
    await response.body?.cancel()
  }
})

it('answers the preflight of an allowed origin, and refuses that of any other', async () => {
  await using server = await startServer({ allowOrigin: [origin] })
  const ask = (from: string): Promise<Response> =>
    fetch(`${server.url}/rooms/lobby/messages`, {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
  const allowed = await ask(origin)
  expect(allowed.status).toBe(204)
  expect(allowed.headers.get('access-control-allow-methods')).toContain('POST')
  expect(allowed.headers.get('access-control-allow-headers')).toContain('content-type')
  const refused = await ask('https://elsewhere.example')
  expect(refused.status).toBe(403)
  expect(refused.headers.get('access-control-allow-origin')).toBeNull()
})

it('gives the host its say in who a member is: a session is what `authenticate` answers', async () => {
  await using server = await startServer({
    authenticate: ({ headers }) =>
      headers['x-user'] === undefined ? undefined : { id: `m_${String(headers['x-user'])}`, name: 'Host user' },
  })
  const headers = { 'content-type': 'application/json', 'x-user': 'ann' }
  const session = await fetch(`${server.url}/session`, { method: 'POST', headers, body: '{"name":"Another"}' })
  expect(session.status).toBe(201)
  expect(session.headers.get('set-cookie')).toBeNull()
  expect(await session.json()).toEqual({ member: { id: 'm_ann', name: 'Host user' } })
  await expect(member(server.url)).rejects.toThrow('session-required')
  await expect(post(server.url, 'lobby', '', { text: 'as nobody' })).rejects.toThrow('session-required')
})
