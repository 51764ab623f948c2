/** The race in a real Chromium: what it says is what passed, it flips where bytes flip, and nobody sees it before the reveal. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noChaos } from '../../src/lab/events.ts'
import type { RaceView } from '../../src/page/race/race-view.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { barriers } from '../support/axe.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launch(), startServer({ lab: true })])
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const open = (query: string, options?: Parameters<typeof RoomPage.open>[3], url = server.url): Promise<RoomPage> =>
  RoomPage.open(browser, url, query, options, '/race')

const counts = (page: Page) =>
  page.evaluate(() => {
    const { contest } = document.querySelector('race-view') as RaceView
    const { ledger } = contest
    const lanes = Object.values(contest.lanes).map(({ name, status, record }) => {
      const { bytes = 0, requests = 0 } = ledger?.lane(name) ?? {}
      return { name, status, delivered: record.delivered, bytes, requests }
    })
    return {
      said: contest.said,
      refused: contest.refused,
      status: contest.status,
      lanes,
      rest: ledger?.rest ?? 0,
      total: ledger?.total ?? 0,
    }
  })
const settle = (page: Page) =>
  page.waitForFunction(() => {
    const { contest } = document.querySelector('race-view') as RaceView
    return Object.values(contest.lanes).every(({ record }) => record.delivered === contest.said)
  })
const verdict = ({ page }: RoomPage) => page.getByTestId('verdict')
/** The sentence, once it names who wins. */
async function reads(race: RoomPage, text: RegExp): Promise<string> {
  await verdict(race).filter({ hasText: text }).waitFor({ timeout: 45_000 })
  return (await verdict(race).innerText()).replaceAll('\u202f', ' ')
}
/** What stands beside the bars, in bytes a message. */
const costs = async ({ page }: RoomPage): Promise<Record<string, number>> =>
  Object.fromEntries(
    await Promise.all(
      transportNames.map(async (name) => {
        const text = await page.getByTestId(`lane-${name}`).getByTestId('cost').innerText()
        return [name, Number(text.replace(/[^0-9]/g, ''))]
      }),
    ),
  ) as Record<string, number>

const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)

it('delivers all that is said on all four, books every byte, and says what the numbers say', async () => {
  await using race = await open('rate=20&poll=500&reveal')
  const { page } = race
  await reads(race, /needs? the fewest bytes/)
  await page.getByRole('button', { name: 'Pause' }).click()
  await settle(page)
  const { said, refused, lanes, rest, total, status } = await counts(page)
  expect([refused, status]).toEqual([0, 'paused'])
  expect(said).toBeGreaterThan(40)
  expect(lanes.map(({ status: each }) => each)).toEqual(['live', 'live', 'live', 'live'])
  expect(lanes.reduce((sum, { bytes }) => sum + bytes, rest)).toBe(total)
  // A stream has one question, and each lane at least the JSON of all it delivered.
  expect(lanes.filter(({ name }) => name === 'sse' || name === 'websocket').map(({ requests }) => requests)).toEqual([1, 1])
  for (const { bytes } of lanes) expect(bytes).toBeGreaterThan(said * 150)
  const shown = await costs(race)
  const least = Math.min(...Object.values(shown))
  const text = await reads(race, /needs? the fewest bytes/)
  expect(text).toMatch(new RegExp(`needs? the fewest bytes[^:]*: ${least} B`))
  expect(await page.locator('race-lanes caption').textContent()).toContain(`${least}\u202fB`)
  const books = (await page.getByTestId('books').innerText()).replaceAll(',', '')
  const [all = 0, ...parts] = (books.match(/\d+(?= [+=]|\u202fB)/g) ?? []).map(Number).toReversed()
  expect(parts.length).toBe(5)
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(all)

  await hide(page, true)
  await page.getByTestId('status').filter({ hasText: 'Paused by the browser (hidden tab). That time is not counted.' }).waitFor()
  await page.getByRole('button', { name: 'Go on' }).click()
  expect((await counts(page)).said).toBe(said)
  await hide(page, false)
  await page.waitForFunction((before) => (document.querySelector('race-view') as RaceView).contest.said > before, said)
  await verdict(race).filter({ hasText: 'Too early to say' }).waitFor()
})

it('is covered until the reveal, while votes are counted and not told', async () => {
  await using ann = await open('room=attic')
  await using ben = await open('', { viewport: { width: 390, height: 844 } })
  await ann.page.getByRole('button', { name: 'SSE', exact: true }).click()
  await ben.press('4')
  for (const { page } of [ann, ben]) {
    await page.getByTestId('turnout').filter({ hasText: '2 votes so far.' }).waitFor()
    expect(await page.locator('race-lanes, [data-testid=verdict]').count()).toBe(0)
  }
  // A vote is one: the other is taken back.
  await ben.press('3')
  await ann.page.waitForFunction(() => (document.querySelector('race-view') as RaceView).votes.of.sse === 2)
  await ann.press('v')
  await ann.page.getByTestId('lane-sse').filter({ hasText: '2 of 2 votes' }).waitFor()
  await ann.page.getByTestId('lane-websocket').filter({ hasText: '0 of 2 votes' }).waitFor()
  expect(await ben.page.getByTestId('verdict').count()).toBe(0)
  expect((await counts(ben.page)).said).toBe(0)
  expect(await ann.page.getByRole('link', { name: 'Back to the room' }).getAttribute('href')).toBe('./?room=attic')
  await ben.press('Enter')
  await verdict(ben).waitFor()
})

it('never lets another wire run in a lane: the lane says that it is not this wire, and is not compared', async () => {
  await using race = await open('rate=50&poll=250')
  const { page } = race
  await page.waitForFunction(() => (document.querySelector('race-view') as RaceView).lab.status === 'open')
  await page.evaluate((chaos) => (document.querySelector('race-view') as RaceView).lab.send({ type: 'chaos', chaos }), {
    ...noChaos,
    proxy: 'no-upgrade' as const,
  })
  await page.waitForFunction(() => (document.querySelector('race-view') as RaceView).lab.chaos.chaos.proxy === 'no-upgrade')
  await race.press('v')
  await page.getByTestId('lane-websocket').filter({ hasText: 'Not this wire: WebSocket does not get through' }).waitFor({ timeout: 10_000 })
  expect(await reads(race, /needs? the fewest bytes/)).not.toContain('WebSocket')
  const { lanes } = await counts(page)
  expect(lanes).toContainEqual(expect.objectContaining({ name: 'websocket', status: 'not-this-wire', delivered: 0 }))
  expect(lanes).toContainEqual(expect.objectContaining({ name: 'sse', status: 'live', requests: 1 }))
})

it('has no barrier that a program finds, before and after the reveal, and fits a phone and 400 %', { timeout: 60_000 }, async () => {
  await using race = await open('rate=50&poll=250', { reducedMotion: 'reduce', colorScheme: 'dark', viewport: { width: 390, height: 844 } })
  const { page } = race
  const check = async (): Promise<void> => {
    expect(await barriers(page)).toEqual([])
  }
  const fits = async (width: number, height: number): Promise<void> => {
    await page.setViewportSize({ width, height })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  }
  await check()
  await fits(320, 256)
  await race.press('v')
  await reads(race, /needs? the fewest bytes/)
  await race.press(' ')
  await page.getByText('Table').click()
  await fits(320, 256)
  await fits(390, 844)
  await fits(1_280, 800)
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await check()
})

// They wait for time to pass, more than they work: beside each other.
describe.concurrent('meanwhile', { timeout: 120_000 }, () => {
  it('flips: polling needs fewer bytes than SSE at 100 messages a second, and more at 8', async () => {
    await using race = await open('rate=100&poll=1000&reveal')
    const costsWhere = async (rate: number, winner: string): Promise<Record<string, number>> => {
      await reads(race, new RegExp(`^At ${rate} messages a second ${winner} needs the fewest bytes`))
      await race.page
        .getByTestId('prediction')
        .filter({ hasText: new RegExp(`Measured at ${rate}/s.*; as predicted`) })
        .waitFor()
      return costs(race)
    }
    const fast = await costsWhere(100, 'polling')
    expect(fast['poll']).toBeLessThan(fast['sse'] ?? 0)
    await race.page.getByLabel('Message rate').fill('45')
    const slow = await costsWhere(8, 'WebSocket')
    expect(slow['sse']).toBeLessThan(slow['poll'] ?? 0)
    const flip = Number(/below SSE at ([\d.]+)\/s/.exec(await race.page.getByTestId('prediction').innerText())?.[1])
    expect(flip).toBeGreaterThan(8)
    expect(flip).toBeLessThan(100)
    expect(new URL(race.page.url()).search).toBe('?rate=8&reveal=')
  })

  it('says what it needs where there is no lab', async () => {
    await using bare = await startServer({ lab: false })
    await using race = await open('reveal', undefined, bare.url)
    await race.page.getByTestId('no-lab').filter({ hasText: '--no-lab' }).waitFor()
    expect((await counts(race.page)).status).toBe('no-lab')
    expect(await race.page.locator('main > *').count()).toBe(2)
    expect(await race.page.getByRole('link').allInnerTexts()).toEqual(['Back to the room'])
  })

  it('goes on with a server that was started again, as somebody it knows', async () => {
    const own = await startServer({ lab: true })
    await using race = await open('rate=50&poll=250&reveal', undefined, own.url)
    await reads(race, /needs? the fewest bytes/)
    own.cut()
    await own.close()
    await race.page.getByTestId('status').filter({ hasText: 'The server is away.' }).waitFor()
    const { said } = await counts(race.page)
    await using again = await startServer({ lab: true }, own.port)
    expect(again.port).toBe(own.port)
    await race.page.waitForFunction((before) => (document.querySelector('race-view') as RaceView).contest.said > before + 20, said)
    const { lanes } = await counts(race.page)
    expect(lanes.map(({ status }) => status)).toEqual(['live', 'live', 'live', 'live'])
  })

  it('says so where other tabs hold all connections that a browser has', async () => {
    await using race = await open('')
    const other = await race.page.context().newPage()
    await other.goto(`${server.url}/healthz`)
    // Kept: an answer that nobody holds is collected some time, and its connection with it.
    const answers = await other.evaluate(async () => {
      const held = await Promise.all(Array.from({ length: 6 }, () => fetch('/rooms/lobby/sse')))
      Object.assign(globalThis, { held })
      return held.map(({ status }) => status)
    })
    expect(answers).toEqual([200, 200, 200, 200, 200, 200])
    const taken = (page: Page): Promise<number> =>
      page.evaluate(() => (document.querySelector('race-view') as RaceView).contest.slots.taken)
    await eventually(async () => (await taken(race.page)) === 6, 'all six are taken')
    await race.press('v')
    const status = race.page.getByTestId('status')
    // A WebSocket takes none of them: it begins by the cookie that this browser has.
    const held = /Polling, Long polling, SSE cannot open: this browser has 6 of its 6 HTTP connections/
    await status.filter({ hasText: held }).waitFor({ timeout: 60_000 })
    await other.close()
    await race.page.waitForFunction(() =>
      Object.values((document.querySelector('race-view') as RaceView).contest.lanes).every(({ status: now }) => now === 'live'),
    )
  })
})
