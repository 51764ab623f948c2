/** The page, as a person meets it: what it shows, in one browser for a whole file of tests. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Channel } from '../../src/client/channel.ts'
import type { TransportName } from '../../src/protocol/message.ts'

/** The page's root element, as a test sees it from outside. */
type Root = HTMLElement & { readonly channel: Channel }

export class RoomPage {
  readonly page: Page
  /** Errors of the page's own, and what its policy refused: there are to be none. */
  readonly errors: string[] = []
  /** Requests to anywhere but the server. */
  readonly foreign: string[] = []
  readonly #context: BrowserContext

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context
    this.page = page
    page.on('pageerror', (error) => this.errors.push(error.message))
    page.on('dialog', (dialog) => {
      this.errors.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      // A server that is away or refuses is in the console whatever a page does.
      if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text()))
        this.errors.push(message.text())
    })
    page.on('response', (response) => {
      // Whether there is a lab a page can find out only by asking.
      if (response.status() === 404 && !response.url().endsWith('/lab')) this.errors.push(`not found: ${response.url()}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) this.foreign.push(request.url())
    })
  }

  /** A tab of its own member, live in the room. */
  static async open(browser: Browser, url: string, query: string, options: BrowserContextOptions = {}, path = '/'): Promise<RoomPage> {
    // Pictures that are drawn sixty times a second are most of the work, and few tests look at them: those ask for motion.
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce', ...options })
    const room = new RoomPage(context, await context.newPage(), new URL(url).origin)
    await room.page.goto(`${url}${path}?${query}`)
    await room.page.waitForSelector('html[data-ready]')
    return room
  }

  get state() {
    return this.page.getByTestId('state')
  }
  get proof() {
    return this.page.getByTestId('proof')
  }
  get box() {
    return this.page.getByTestId('composer').locator('textarea')
  }

  async say(text: string): Promise<void> {
    await this.box.fill(text)
    await this.box.press('Enter')
  }

  /** Waits for a line with exactly this text. */
  async hears(text: string, transport?: TransportName): Promise<void> {
    const line = this.page.locator(transport === undefined ? 'li[data-seq]' : `li[data-seq][data-transport="${transport}"]`)
    await line.filter({ hasText: text }).first().waitFor()
  }

  async press(key: string): Promise<void> {
    await this.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    await this.page.keyboard.press(key)
  }

  async switchTo(transport: TransportName): Promise<void> {
    await this.page.evaluate((name) => (document.querySelector('fourwires-room') as Root).channel.switchTo(name), transport)
  }

  async live(transport: TransportName): Promise<void> {
    await this.page.waitForFunction((name) => {
      const { state } = (document.querySelector('fourwires-room') as Root).channel
      return state.status === 'live' && state.transport === name && state.opening === undefined
    }, transport)
  }

  counts(): Promise<Channel['counts']> {
    return this.page.evaluate(() => (document.querySelector('fourwires-room') as Root).channel.counts)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
    expect(this.errors).toEqual([])
    expect(this.foreign).toEqual([])
  }
}
