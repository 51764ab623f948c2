/** What there is to see of the page, and how one comes to see it. */
import type { Page } from 'playwright-core'
import type { HallNow, LabNews, LabOrder } from '../../src/lab/events.ts'
import type { LabLink } from '../../src/page/lab-link.ts'
import { room, type Stage } from './stage.ts'

export interface Scene {
  readonly name: string
  /** Path, query and fragment; `KEY` stands for the presenter's. */
  readonly address: string
  /** So long it runs before it is pictured, in ms: figures fill with time. */
  readonly runMs?: number
  /** Only for a wide, or only for a narrow screen. */
  readonly only?: 'desktop' | 'phone'
  readonly act?: (page: Page, stage: Stage) => Promise<void>
}

const chat = `/?room=${room}&t=websocket`
const presenter = `${chat}#presenter=KEY`

export const scenes: readonly Scene[] = [
  { name: 'chat', address: chat, runMs: 4_000 },
  { name: 'heads', address: `${chat}&view=heads`, runMs: 3_000 },
  { name: 'game', address: `${chat}&view=game`, runMs: 1_500 },
  { name: 'wire', address: `${chat}&view=wire`, runMs: 300, act: switchAround },
  { name: 'chaos', address: `/?room=${room}&t=long-poll&view=wire`, runMs: 4_000, act: (page) => order(page, late) },
  { name: 'presenter', address: presenter, act: freeze },
  { name: 'join', address: presenter, act: fillTheScreen },
  { name: 'muted', address: presenter, act: blurAndMute },
  { name: 'help', address: chat, only: 'desktop', act: (page) => page.getByRole('button', { name: 'Keys' }).click() },
  { name: 'lost', address: chat, runMs: 500, act: lose },
  { name: 'slots', address: chat, only: 'desktop', runMs: 3_500, act: fillTheSlots },
  { name: 'race-covered', address: `/race?room=${room}`, runMs: 1_500 },
  { name: 'race', address: `/race?room=${room}&reveal`, runMs: 12_000, act: (page) => page.keyboard.press('v') },
  // The last: the room is empty afterwards.
  { name: 'gap', address: chat, runMs: 1_500, act: clearRoom },
]

const late: LabOrder = { type: 'chaos', chaos: { delayMs: 120, jitterMs: 60, readBytesPerSecond: 0, proxy: 'none' } }

/** A server on loopback has no address for phones: the page is told one, as in a hall. */
export async function tellAddress(page: Page): Promise<void> {
  await page.routeWebSocket(/\/lab\/events/, (socket) => {
    socket.connectToServer().onMessage((text) => {
      const news = JSON.parse(String(text)) as LabNews
      if (news.type !== 'hall') return socket.send(text)
      const hall = { ...news.hall, addresses: ['http://192.168.178.23:3000'], joined: 23 }
      socket.send(JSON.stringify({ type: 'hall', hall } satisfies HallNow))
    })
  })
}

async function order(page: Page, what: LabOrder): Promise<void> {
  await page.evaluate((each) => (document.querySelector('fourwires-room') as HTMLElement & { readonly lab: LabLink }).lab.send(each), what)
}

async function switchAround(page: Page): Promise<void> {
  for (const key of ['1', '2', '3', '4']) {
    await page.keyboard.press(key)
    await page.waitForTimeout(2_300)
  }
}

async function open(page: Page): Promise<void> {
  const strip = page.getByTestId('presenter')
  await strip.waitFor()
  await strip.evaluate((element) => void ((element as HTMLDetailsElement).open = true))
}

async function freeze(page: Page): Promise<void> {
  await open(page)
  // Once in five seconds, for all: another picture of it may have been taken a moment ago.
  for (let tries = 10; tries > 0 && (await page.getByTestId('combs').count()) === 0; tries--) {
    await page.getByRole('button', { name: /^1.s$/ }).click()
    await page.getByTestId('combs').or(page.locator('[data-testid=presenter-result][data-failed]')).first().waitFor()
    await page.waitForTimeout(600)
  }
}

async function fillTheScreen(page: Page): Promise<void> {
  const card = page.getByTestId('join')
  // A phone is in already: it is not shown how to come in.
  if ((await card.count()) === 0) return
  await card.evaluate((element) => void ((element as HTMLDetailsElement).open = true))
  await page.getByRole('button', { name: 'Fill the screen' }).click()
}

async function blurAndMute(page: Page, { server, key }: Stage): Promise<void> {
  await open(page)
  const set = (on: boolean): Promise<Response> =>
    fetch(`${server.url}/lab/hall`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ muted: on, blurred: on }),
    })
  await set(true)
  await page.getByTestId('hall-note').waitFor()
  await page.waitForTimeout(300)
  page.once('close', () => void set(false).catch(() => {}))
}

/** Nobody answers any more, as where the server is gone: what is open is cut, and nothing is opened again. */
async function lose(page: Page): Promise<void> {
  await page.routeWebSocket(/./, (socket) => void socket.close({ code: 1011 }))
  await page.route(/./, (route) => route.abort('connectionrefused'))
  await order(page, { type: 'cut', how: 'rst' })
  await page.getByTestId('state').filter({ hasText: 'Lost the server' }).waitFor()
}

/** Six connections are all that a browser gives HTTP/1.1 for one host: six other tabs hold them, and then this one wants one. */
async function fillTheSlots(page: Page, { server }: Stage): Promise<void> {
  for (let tabs = 6; tabs > 0; tabs--) {
    const other = await page.context().newPage()
    await other.goto(`${server.url}/?room=${room}&t=sse`, { waitUntil: 'commit' })
    await other.waitForSelector('html[data-ready]')
  }
  await page.bringToFront()
  await page.keyboard.press('3')
}

async function clearRoom(page: Page, { server, key }: Stage): Promise<void> {
  await fetch(`${server.url}/lab/clear`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ room }),
  })
  await page.locator('li[data-gap]').waitFor()
}
