/** What a person does to their own connections, in a real Chromium: what the wire says of it, and what it does not lose. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ChannelState } from '../../src/client/state.ts'
import type { FourwiresRoom } from '../../src/page/fourwires-room.ts'
import { wires } from '../../src/page/wires.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { member, post, startServer, type TestMember, type TestServer } from '../support/server.ts'

/** `WebSocket.OPEN` */
const isOpen = 1

let browser: Browser
let server: TestServer
let bot: TestMember

beforeAll(async () => {
  // Leases of some seconds: whoever is in a black hole is gone within them.
  server = await startServer({ lab: true, publishesPerSecond: 0, pingMs: 500, websocketLeaseMs: 4_000 })
  bot = await member(server.url, 'Bot')
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

let said = 0
const say = (room: string, text: string): Promise<unknown> => post(server.url, room, bot.cookie, { id: `said-by-bot-${said++}`, text })

/** In the lab: the panel is in sight, and the line to it is open. */
async function open(query: string, width = 1280): Promise<RoomPage> {
  const room = await RoomPage.open(browser, server.url, query, { viewport: { width, height: 900 } })
  await room.page.waitForFunction(() => (document.querySelector('fourwires-room') as FourwiresRoom).lab.status === 'open')
  return room
}

/** Keeps what the channel goes through from now on. */
const watch = ({ page }: RoomPage): Promise<void> =>
  page.evaluate(() => {
    const states: ChannelState['status'][] = []
    ;(globalThis as unknown as { states: string[] }).states = states
    ;(document.querySelector('fourwires-room') as FourwiresRoom).channel?.on('state', ({ status }) => states.push(status))
  })
const statesOf = ({ page }: RoomPage): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { states: string[] }).states)

const note = ({ page }: RoomPage) => page.getByTestId('chaos-note')

// These wait more than they work, each in a room and a session of its own: beside each other.
it.concurrent('kill loses nothing on any wire, and each comes back by itself', async () => {
  await using ann = await open('room=kill&t=poll&poll=250')
  for (const [index, transport] of transportNames.entries()) {
    await ann.press(wires[transport].key)
    await ann.live(transport)
    await watch(ann)
    if (transport === 'websocket') await ann.page.getByRole('button', { name: 'Kill FIN' }).click()
    else await ann.press('k')
    // A poll is cut between two questions; one that is held is asked again by the browser itself (RFC 9112, 9.3.1).
    const seen = transport === 'sse' || transport === 'websocket'
    if (seen) await ann.state.and(ann.page.locator('[data-tone="lost"]')).waitFor()
    await say('kill', `meanwhile, ${transport}`)
    await ann.live(transport)
    await ann.hears(`meanwhile, ${transport}`, transport)
    expect(await ann.counts()).toMatchObject({ delivered: index + 1, gaps: 0 })
    if (seen) expect(await statesOf(ann)).toEqual(expect.arrayContaining(['waiting', 'connecting', 'live']))
  }
})

it.concurrent(
  'black hole: the socket stays open and brings nothing, others see it go grey and leave, and it comes back without a gap',
  { timeout: 40_000 },
  async () => {
    await using ann = await open('room=hole&t=sse')
    // From here on the page's sockets are kept, to be asked what they think of themselves.
    await ann.page.evaluate(() => {
      const kept = globalThis as unknown as { sockets: WebSocket[] }
      kept.sockets = []
      globalThis.WebSocket = new Proxy(WebSocket, {
        construct(target, args: [string]) {
          const socket = new target(...args)
          kept.sockets.push(socket)
          return socket
        },
      })
    })
    await ann.press('4')
    await ann.live('websocket')
    const { id, name } = await ann.page.evaluate(() => {
      const { id: own = '', name: called = '' } = (document.querySelector('fourwires-room') as FourwiresRoom).channel?.state.member ?? {}
      return { id: own, name: called }
    })
    await using ben = await open('room=hole&t=websocket&view=wire', 1000)
    const row = ben.page.locator('.members li').filter({ hasText: name })
    await row.scrollIntoViewIfNeeded()
    await row.getByText(/socket open, pong or frame \d/).waitFor()
    expect(await row.getAttribute('data-silent')).toBeNull()

    await ann.press('o')
    await note(ann)
      .getByText(/black hole for \d+.s more/)
      .waitFor()
    await say('hole', 'into the hole')
    await ben.page
      .locator('.members li[data-silent]')
      .filter({ hasText: name })
      .getByText(/silent for .* leaves/)
      .waitFor()
    // Ben was told of it, and Ann was not: and still her socket says that all is well.
    expect(await ben.counts()).toMatchObject({ delivered: 1 })
    expect(await ann.counts()).toMatchObject({ delivered: 0 })
    expect(
      await ann.page.evaluate(() => (globalThis as unknown as { sockets: WebSocket[] }).sockets.map(({ readyState }) => readyState)),
    ).toEqual([isOpen])
    expect(await ann.state.innerText()).toContain('one socket open')
    await row.waitFor({ state: 'detached' })
    expect(
      await ben.page.evaluate(
        (gone) => (document.querySelector('fourwires-room') as FourwiresRoom).channel?.members.some((one) => one.id === gone),
        id,
      ),
    ).toBe(false)

    await ann.press('o')
    await note(ann).waitFor({ state: 'detached' })
    // The connection has lost bytes: it stays a hole until one of its ends gives it up.
    await ann.press('k')
    await ann.hears('into the hole', 'websocket')
    expect(await ann.counts()).toMatchObject({ delivered: 1, gaps: 0 })
    await row.waitFor()
  },
)

it.concurrent('a proxy that knows no Upgrade lets no WebSocket through, and the page says what it does instead', async () => {
  await using ann = await open('room=proxy&t=websocket')
  await ann.page.getByLabel('Proxy in the way').selectOption('no-upgrade')
  await note(ann).getByText('a proxy that knows no Upgrade').waitFor()
  await ann.press('k')
  await ann.live('sse')
  await ann.state.getByText(/WebSocket does not get through/).waitFor()
  await say('proxy', 'down the stream')
  await ann.hears('down the stream', 'sse')
  // The words of the panel follow the wire that is live.
  await ann.page.getByTestId('chaos').locator('.expect[data-transport=sse]').first().waitFor()
})

it('a delay holds in all tabs of the session, and nobody else has it', async () => {
  await using ann = await open('room=late&t=websocket')
  await using ben = await open('room=late&t=websocket')
  const other = await ann.page.context().newPage()
  await other.goto(`${server.url}/?room=late&t=websocket`)
  await other.waitForSelector('html[data-ready]')
  await ann.page.getByLabel('Delay').fill('600')
  for (const page of [ann.page, other])
    await page
      .getByTestId('chaos-note')
      .getByText(/600.ms later each way/)
      .waitFor()
  expect(await note(ben).count()).toBe(0)
  const arrival = ({ page }: RoomPage): Promise<number> =>
    page.evaluate(
      () =>
        new Promise((resolve) =>
          (document.querySelector('fourwires-room') as FourwiresRoom).channel?.on('message', () => resolve(Date.now())),
        ),
    )
  const arrivals = Promise.all([arrival(ann), arrival(ben)])
  // Both listen once both have answered this.
  await Promise.all([ann, ben].map(({ page }) => page.evaluate(() => 0)))
  await say('late', 'to both')
  const [late, soon] = await arrivals
  expect(late - soon).toBeGreaterThan(450)
  await other.getByRole('button', { name: 'Back to normal' }).first().click()
  await note(ann).waitFor({ state: 'detached' })
  expect(await ann.page.getByLabel('Delay').inputValue()).toBe('0')
})

it('a stall makes all of it late, loses nothing, and is over by itself', async () => {
  await using ann = await open('room=stall&t=sse')
  await ann.page.getByRole('button', { name: /^Stall/ }).click()
  await note(ann)
    .getByText(/all bytes wait/)
    .waitFor()
  await say('stall', 'held up')
  expect(await ann.counts()).toMatchObject({ delivered: 0 })
  await ann.hears('held up', 'sse')
  await note(ann).waitFor({ state: 'detached' })
  expect(await ann.counts()).toMatchObject({ delivered: 1, gaps: 0 })
})
