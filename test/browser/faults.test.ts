/** What happens to a page that is no fault of anybody's: reloads, second tabs, hiding, going back, sleep, a clock that is wrong. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Channel } from '../../src/client/channel.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { launch } from '../support/browser.ts'
import { Attendants } from '../support/attendants.ts'
import { Follower } from '../support/follower.ts'
import { hide, passMinute, see } from '../support/hidden.ts'
import { RoomPage } from '../support/page.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Root = HTMLElement & { readonly channel: Channel }
/** What a test left in the page, as long as that is the same. */
type Marked = Window & { mark?: string }
const mark = (page: Page): Promise<string | undefined> => page.evaluate(() => (window as Marked).mark)

let browser: Browser
let server: TestServer

beforeAll(async () => {
  ;[browser, server] = await Promise.all([
    // Playwright turns off what keeps a page alive that one goes back to.
    launch({ whole: true, without: ['--disable-back-forward-cache'] }),
    startServer({ publishesPerSecond: 0, maxLagMs: 60_000, membersMs: 50, pollLeaseMs: 500, history: 6 }),
  ])
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const open = (query: string): Promise<RoomPage> => RoomPage.open(browser, server.url, query)

const author = { id: 'm_faults000001', name: 'Author' }

async function say(room: string, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await server.store.append(room, author, { id: `message-${n}`, text: `text ${n}` })
}

/** The rows that a tab shows, by their place in the room. */
const shown = (page: Page): Promise<number[]> =>
  page.locator('li[data-seq]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))))
const shows = (page: Page, seqs: number): Promise<void> =>
  eventually(async () => (await shown(page)).at(-1) === seqs, `${seqs} messages are shown`, 20_000)
const upTo = (seqs: number): number[] => Array.from({ length: seqs }, (_, index) => index + 1)
const gaps = (page: Page): Promise<number> => page.evaluate(() => (document.querySelector('fourwires-room') as Root).channel.counts.gaps)
const statusIs = async (page: Page, live: boolean): Promise<void> => {
  await page.waitForFunction((is) => ((document.querySelector('fourwires-room') as Root).channel.state.status === 'live') === is, live)
}

it('is one member who never left, however often it is reloaded', async () => {
  await using ann = await open('room=reload&t=websocket')
  using attendants = await Attendants.of(server.url, 'reload')
  await attendants.number(1)
  for (let reload = 0; reload < 20; reload++) {
    // The next comes once the page's script has run, whatever of its session and its socket is there by then.
    await ann.page.reload({ waitUntil: 'domcontentloaded' })
  }
  await ann.page.waitForSelector('html[data-ready]')
  await ann.live('websocket')
  await say('reload', 1, 1)
  await shows(ann.page, 1)
  expect(attendants.counts).toEqual({ most: 1, came: 1, went: 0 })
})

it('is one member with a tab that was duplicated, and neither tab puts out the other', async () => {
  await using ann = await open('room=twice&t=websocket')
  using attendants = await Attendants.of(server.url, 'twice')
  // What a browser does on "Duplicate tab": the same address, and a copy of what the tab has stored.
  const opened = ann.page.waitForEvent('popup')
  await ann.page.evaluate(() => {
    sessionStorage.setItem('fourwires.copied', 'yes')
    window.open(location.href)
  })
  const twin = await opened
  await twin.waitForSelector('html[data-ready]')
  expect(await twin.evaluate(() => sessionStorage.getItem('fourwires.copied'))).toBe('yes')
  for (const page of [ann.page, twin]) {
    await statusIs(page, true)
    await page.evaluate(() => {
      ;(document.querySelector('fourwires-room') as Root).channel.on('state', () => ((window as Marked).mark = 'its wire changed'))
    })
  }
  await say('twice', 1, 10)
  for (const page of [ann.page, twin]) {
    await shows(page, 10)
    expect(await shown(page)).toEqual(upTo(10))
    expect(await mark(page)).toBeUndefined()
  }
  expect(attendants.counts).toEqual({ most: 1, came: 1, went: 0 })
})

it.each(['sse', 'websocket'] as const)(
  'goes on where it was, on %s, when one comes back to it, and shows no row twice',
  async (transport) => {
    await using ann = await open(`room=back-${transport}&t=${transport}`)
    await ann.live(transport)
    await say(`back-${transport}`, 1, 3)
    await shows(ann.page, 3)
    await ann.page.evaluate(() => addEventListener('pageshow', ({ persisted }) => ((window as Marked).mark = `kept: ${persisted}`)))
    await ann.page.goto(`${server.url}/healthz`)
    await say(`back-${transport}`, 4, 6)
    await ann.page.goBack({ waitUntil: 'commit' })
    await ann.live(transport)
    await shows(ann.page, 6)
    expect(await shown(ann.page)).toEqual(upTo(6))
    expect(await gaps(ann.page)).toBe(0)
    // Chromium keeps a page with a stream, as it was; one with a socket it may load anew.
    if (transport === 'sse') expect(await mark(ann.page)).toBe('kept: true')
  },
)

it('loses nothing on any wire while it is offline, nor while the whole browser sleeps', async () => {
  await using ann = await open('room=away&t=poll&poll=250')
  const context = ann.page.context()
  const tabs = [ann.page]
  for (const transport of transportNames.slice(1)) {
    const tab = await context.newPage()
    await tab.goto(`${server.url}/?room=away&t=${transport}`)
    await tab.waitForSelector('html[data-ready]')
    tabs.push(tab)
  }
  for (const tab of tabs) await statusIs(tab, true)
  await context.setOffline(true)
  server.cut()
  for (const tab of tabs) await statusIs(tab, false)
  await say('away', 1, 10)
  await context.setOffline(false)
  for (const tab of tabs) await shows(tab, 10)

  await asleep(async () => {
    await say('away', 11, 20)
    server.cut()
    await say('away', 21, 30)
  })
  for (const tab of tabs) {
    await shows(tab, 30)
    expect(await shown(tab)).toEqual(upTo(30))
    expect(await gaps(tab)).toBe(0)
  }
})

/** Every process of the browser is stopped meanwhile, as on a machine that sleeps. */
async function asleep(meanwhile: () => Promise<void>): Promise<void> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const pids = processInfo.map(({ id }) => id)
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => pids.forEach((pid) => process.kill(pid, name))
  signal('SIGSTOP')
  await meanwhile().finally(() => signal('SIGCONT'))
}

it('stays a member while it is hidden and its timers come once a minute, and misses nothing', async () => {
  await using ann = await open('room=hidden&t=poll&poll=250')
  using attendants = await Attendants.of(server.url, 'hidden')
  await attendants.number(1)
  await hide(ann.page)
  await beside('hidden', attendants)

  let asked = 0
  ann.page.on('request', (request) => (asked += request.url().includes('/rooms/hidden/poll?') ? 1 : 0))
  for (let minute = 1; minute <= 2; minute++) {
    await say('hidden', minute * 5 - 4, minute * 5)
    await passMinute(ann.page)
    await eventually(async () => (await ann.counts()).delivered === minute * 5, `what was said in minute ${minute} is there`)
    // Once, and at most once more at once: who came and went is a batch of its own, and says that there is more.
    expect(asked).toBeLessThanOrEqual(2 * minute)
    await beside('hidden', attendants)
  }
  await see(ann.page)
  await say('hidden', 11, 11)
  await shows(ann.page, 11)
  expect(await shown(ann.page)).toEqual(upTo(11))
  expect(await gaps(ann.page)).toBe(0)
  // Those who left are the ones beside it.
  expect(attendants.counts).toEqual({ most: 2, came: 4, went: 3 })
})

/** Somebody polls as often as the tab did, and leaves: once they are gone, so would be the tab by the lease that it had. */
async function beside(room: string, attendants: Attendants): Promise<void> {
  const somebody = new Follower({ url: server.url, room, transport: 'poll', pollMs: 250 })
  await attendants.number(2)
  const { id = '' } = somebody.channel.state.member ?? {}
  somebody[Symbol.dispose]()
  await attendants.without(id)
}

it('is no worse for a clock that is a day off, either way', async () => {
  await using ann = await open('room=clock&t=poll&poll=250')
  let said = 0
  for (const days of [1, -1]) {
    await ann.page.clock.setSystemTime(Date.now() + days * 24 * 3600_000)
    for (const transport of transportNames) {
      await ann.switchTo(transport)
      await ann.live(transport)
      // Where time seems to have passed the wire is looked at: at worst it is opened anew, and goes on where it was.
      await ann.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
      await ann.say(`${days} days off, over ${transport}`)
      await shows(ann.page, ++said)
    }
  }
  expect(await shown(ann.page)).toEqual(upTo(8))
  expect(await ann.counts()).toMatchObject({ delivered: 8, gaps: 0 })
})
