/** Who is here, and how we know, in a real Chromium. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { launch } from '../support/browser.ts'
import { Follower } from '../support/follower.ts'
import { RoomPage } from '../support/page.ts'
import { member, startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer

const open = (query: string, width = 900): Promise<RoomPage> =>
  RoomPage.open(browser, server.url, query, { viewport: { width, height: 900 } })

beforeAll(async () => {
  server = await startServer({ lab: true, publishesPerSecond: 0, membersMs: 100 })
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const asking: Readonly<Record<(typeof transportNames)[number], RegExp>> = {
  poll: /Polling: seen \d\.\d.s ago/,
  'long-poll': /Long polling: seen \d\.\d.s ago/,
  sse: /SSE: stream open, lease renewed \d\.\d.s ago/,
  websocket: /WebSocket: socket open, pong or frame \d\.\d.s ago/,
}

it('are told over each wire, with how it is known of each', async () => {
  const others = transportNames
    .filter((transport) => transport !== 'sse')
    .map((transport) => new Follower({ url: server.url, room: 'lobby', transport, name: `Over ${transport}` }))
  try {
    for (const other of others) await other.live()
    await using ann = await open('room=lobby&t=sse&view=wire')
    await ann.page.getByTestId('headcount').getByText('4 here', { exact: true }).waitFor()
    expect(await ann.page.getByTestId('headcount').locator('.unseen').textContent()).toBe(
      '4 here: 1 by polling, 1 by long polling, 1 by SSE, 1 by WebSocket.',
    )
    const rows = ann.page.getByTestId('members').locator('li')
    await rows.first().scrollIntoViewIfNeeded()
    for (const transport of transportNames) await rows.filter({ hasText: asking[transport] }).waitFor()
    expect(await rows.first().innerText()).toMatch(/you\n.*SSE: stream open/)
    expect(await rows.filter({ hasText: 'you' }).count()).toBe(1)
    expect(await ann.page.locator('.members [data-silent]').count()).toBe(0)
    // Its seconds run, and it stays the same row.
    const quiet = await rows.filter({ hasText: 'Over long-poll' }).elementHandle()
    const before = await quiet?.innerText()
    await ann.page.waitForFunction(([row, text]) => (row as HTMLElement).innerText !== text, [quiet, before] as const)
    expect(await quiet?.evaluate((row) => row.isConnected)).toBe(true)
  } finally {
    for (const { channel } of others) channel.close()
  }
})

it('are shown as far as one can read, and counted in full', async () => {
  const cookies = await Promise.all(Array.from({ length: 230 }, (_, index) => member(server.url, `Phone ${index + 1}`)))
  await Promise.all(
    cookies.map(async ({ cookie }) =>
      (await fetch(`${server.url}/rooms/hall/poll?since=earliest&every=60000`, { headers: { cookie } })).text(),
    ),
  )
  await using ann = await open('room=hall&t=websocket&view=wire', 390)
  await ann.page.getByTestId('headcount').getByText('231 here', { exact: true }).waitFor()
  await ann.page.getByTestId('members').getByText('and 31 more').waitFor()
  expect(await ann.page.locator('.members li').count()).toBe(200)
  expect(await ann.page.locator('.members li .name').nth(2).innerText()).toBe('Phone 2')
})

it('are names and wires where there is no lab, and nothing can be done to a connection', async () => {
  await using without = await startServer()
  await using ann = await RoomPage.open(browser, without.url, 'room=lobby&t=sse&view=wire')
  const row = ann.page.getByTestId('members').locator('li')
  await row.waitFor()
  expect(await row.locator('.held').innerText()).toMatch(/^\s*SSE$/)
  await ann.page.getByText('This server was started without its lab').waitFor()
  expect(await ann.page.getByRole('button', { name: /Kill/ }).count()).toBe(0)
})
