/** The page in a real Chromium, against a real server. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer

beforeAll(async () => {
  // A machine that does other things too is not to send anybody away for it.
  ;[browser, server] = await Promise.all([
    launch(),
    startServer({ lab: true, publishesPerSecond: 0, maxLagMs: 60_000, allowHost: ['room.example'] }),
  ])
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const open = (query: string, url = server.url): Promise<RoomPage> => RoomPage.open(browser, url, query)

describe('two tabs', () => {
  it.each([
    ['poll', 'websocket'],
    ['long-poll', 'sse'],
  ] as const)('talk to each other, one on %s and one on %s', async (one, other) => {
    await using ann = await open(`room=${one}&t=${one}&poll=250`)
    await using ben = await open(`room=${one}&t=${other}`)
    await ann.say('hello from Ann')
    await ben.hears('hello from Ann', other)
    await ann.hears('hello from Ann', one)
    await ben.say('hello from Ben\nin two lines')
    await ann.hears('hello from Ben\nin two lines', one)
    expect(await ann.proof.innerText()).toContain('gaps 0')
  })
})

it('shows all of a burst of 20 that were said at once, over each wire', async () => {
  await using ann = await open('room=burst&t=poll&poll=250')
  const { cookie } = await member(server.url, 'Burst')
  for (const [index, transport] of transportNames.entries()) {
    await ann.switchTo(transport)
    await ann.live(transport)
    await Promise.all(Array.from({ length: 20 }, (_, each) => post(server.url, 'burst', cookie, { text: `${transport} ${each}` })))
    await eventually(async () => (await ann.counts()).delivered === 20 * (index + 1), `20 over ${transport}`)
  }
  expect(await ann.counts()).toMatchObject({ delivered: 80, gaps: 0 })
})

it('loses nothing, repeats nothing and tells no gap in a storm of 40 switches at 50 messages a second', { timeout: 60_000 }, async () => {
  await using ann = await open('room=storm&t=poll&poll=250')
  const { cookie } = await member(server.url, 'Storm')
  const enough = new AbortController()
  let published = 0
  const publishing = (async () => {
    const start = performance.now()
    const acks: Promise<unknown>[] = []
    while (!enough.signal.aborted) {
      const due = start + published * 20
      if (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
      acks.push(post(server.url, 'storm', cookie, { id: `storm-message-${published}`, text: `message ${published}` }))
      published++
    }
    await Promise.all(acks)
  })()
  for (let index = 0; index < 40; index++) {
    // The next comes while the one before may still be opening: that is what makes it a storm.
    await ann.switchTo(transportNames[(index * 3 + 1) % 4] ?? 'poll')
    await ann.page.waitForTimeout(250)
  }
  enough.abort()
  await publishing
  await ann.hears(`message ${published - 1}`)
  expect(published).toBeGreaterThan(400)
  expect(await ann.counts()).toMatchObject({ delivered: published, gaps: 0 })
  expect(await ann.proof.innerText()).toMatch(/delivered .* gaps 0 /)
  const seqs = await ann.page.locator('li[data-seq]').evaluateAll((lines) => lines.map((line) => Number(line.getAttribute('data-seq'))))
  const first = seqs[0] ?? 0
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => first + index))
  expect(seqs.at(-1)).toBe(published)
})

it('shows every text and name as text', async () => {
  await using ann = await open('room=hostile&t=sse')
  const { cookie } = await member(server.url, '<img src=x onerror=alert(1)>')
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)>',
    '"><iframe srcdoc="<script>parent.alert(1)</script>">',
    "javascript:alert(1)//'",
    '</li></ul><h1 id="injected">x</h1>',
    '${alert(1)} {{constructor.constructor("alert(1)")()}}',
    '<a href="javascript:alert(1)">x</a><style>*{display:none}</style>',
    '&lt;b&gt; &amp; <!-- --> ]]>',
    '\u2028\u2029 \u{1F469}\u200d\u{1F680} ‮abc',
    '<math><mtext></mtext><mglyph><svg><mtext><style><img src=x onerror=alert(1)></style>',
  ]
  for (const [index, text] of hostile.entries()) await post(server.url, 'hostile', cookie, { id: `hostile-${index}`, text })
  for (const text of hostile) await ann.hears(text)
  const injected = 'script:not([src]), img, iframe, h1#injected, [data-testid=messages] :is(a, style, svg svg, math)'
  expect(await ann.page.locator(`fourwires-room :is(${injected})`).count()).toBe(0)
  expect(await ann.page.locator('li[data-seq]').count()).toBe(hostile.length)
})

describe('the address', () => {
  it('carries room and transport, over a switch and a reload', async () => {
    await using ann = await open('room=attic&t=long-poll')
    await ann.live('long-poll')
    await ann.press('3')
    await ann.live('sse')
    expect(new URL(ann.page.url()).search).toContain('t=sse')
    await ann.page.reload()
    await ann.live('sse')
    expect(await ann.page.title()).toContain('attic')
    await ann.say('after the reload')
    await ann.hears('after the reload', 'sse')
  })

  it('of a room that cannot be is answered with a sentence, not with an empty page', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${server.url}/?room=${encodeURIComponent('no room!')}`)
    await page.getByTestId('state').filter({ hasText: /room/i }).waitFor()
    await context.close()
  })
})

it('is switched by the keys 1 to 4, but not while one writes', async () => {
  await using ann = await open('room=keys&t=websocket&poll=250')
  for (const [index, transport] of transportNames.entries()) {
    await ann.press(String(index + 1))
    await ann.live(transport)
  }
  await ann.press('/')
  await ann.page.keyboard.type('1 2 3')
  expect(await ann.box.inputValue()).toBe('1 2 3')
  await ann.live('websocket')
})

it('says that the room is new when the server was started again, and goes on, in two tabs', async () => {
  const own = await startServer({ publishesPerSecond: 0 })
  await using ann = await open('room=lobby&t=websocket', own.url)
  await using ben = await open('room=lobby&t=sse', own.url)
  await ann.say('before')
  await ben.hears('before')
  own.cut()
  await own.close()
  for (const tab of [ann, ben]) await tab.state.filter({ hasText: /trying again/i }).waitFor()
  await ben.say('written while it was away')
  await using _again = await startServer({ publishesPerSecond: 0 }, own.port)
  for (const tab of [ann, ben]) {
    await tab.page
      .getByText(/the room is new/i)
      .first()
      .waitFor()
    await tab.hears('written while it was away')
    expect((await tab.counts()).gaps).toBe(1)
  }
})

it('has one name in all tabs of a browser, over every wire', async () => {
  await using ann = await open('room=name&t=sse')
  const other = await ann.page.context().newPage()
  await other.goto(`${server.url}/?room=name&t=websocket`)
  await other.waitForSelector('html[data-ready]')
  await ann.page.getByLabel('Name').fill('Annabel')
  await ann.page.getByLabel('Name').press('Enter')
  const box = other.getByTestId('composer').locator('textarea')
  await other.getByTestId('composer').getByText('Annabel').waitFor()
  await box.fill('from the other tab')
  await box.press('Enter')
  await ann.page.locator('li[data-seq]').filter({ hasText: 'Annabel' }).filter({ hasText: 'from the other tab' }).waitFor()
})

it('gives a refused text back, with the reason', async () => {
  await using own = await startServer({ authorize: (_member, _room, action) => action === 'read' })
  await using ann = await open('room=lobby&t=sse', own.url)
  await ann.say('may I?')
  await ann.page
    .getByRole('alert')
    .filter({ hasText: /access/i })
    .waitFor()
  expect(await ann.box.inputValue()).toBe('may I?')
})

it('works on plain http from another name, where nothing of a secure context is there', async () => {
  const { port } = server
  const lan = await launch({ switches: ['--host-resolver-rules=MAP room.example 127.0.0.1'] })
  try {
    await using ann = await RoomPage.open(lan, `http://room.example:${port}`, 'room=insecure&t=websocket&poll=250')
    expect(await ann.page.evaluate(() => isSecureContext)).toBe(false)
    for (const transport of transportNames) {
      await ann.switchTo(transport)
      await ann.live(transport)
      await ann.say(`over ${transport}`)
      await ann.hears(`over ${transport}`, transport)
    }
  } finally {
    await lan.close()
  }
})
