/** Which tabs of this browser hold a connection: each is asked, and answers, without a server in between. */
import { type TransportName, transportNames } from '../../client/index.ts'
import type { HeldTab } from './slots.ts'

type News = { readonly type: 'who' } | ({ readonly type: 'holds'; readonly tab: string; readonly since: number } & HeldTab)

/** What this tab holds, and since when, in ms since 1970. */
export type Own = (HeldTab & { readonly since: number }) | undefined

/** A tab that has not answered for so long is closed, or holds nothing any more. */
const freshMs = 3_000

export class TabCensus {
  readonly #own: () => Own
  readonly #told: () => void
  readonly #tab = crypto.getRandomValues(new Uint32Array(2)).join('')
  readonly #others = new Map<string, HeldTab & { readonly since: number; readonly at: number }>()
  #line: BroadcastChannel | undefined

  /** `own` is asked what this tab holds, `told` is called when another has answered. */
  constructor(own: () => Own, told: () => void) {
    this.#own = own
    this.#told = told
  }

  begin(): void {
    if (this.#line !== undefined) return
    this.#line = new BroadcastChannel('fourwires.tabs')
    this.#line.onmessage = ({ data }: MessageEvent<unknown>) => this.#hear(data as News)
  }

  end(): void {
    this.#line?.close()
    this.#line = undefined
    this.#others.clear()
  }

  /** The others answer within ms, also those that are hidden; a frozen one does not. */
  ask(): void {
    this.#line?.postMessage({ type: 'who' } satisfies News)
  }

  /** Those that answered lately, the longest there first. */
  get others(): readonly (HeldTab & { readonly since: number })[] {
    const now = performance.now()
    return [...this.#others.values()].filter(({ at }) => now - at < freshMs).toSorted((a, b) => a.since - b.since)
  }

  #hear(news: News): void {
    if (news.type === 'who') {
      const own = this.#own()
      if (own !== undefined) this.#line?.postMessage({ type: 'holds', tab: this.#tab, ...own } satisfies News)
      return
    }
    if (!transportNames.includes(news.transport satisfies TransportName)) return
    this.#others.set(news.tab, { room: news.room, transport: news.transport, since: news.since, at: performance.now() })
    this.#told()
  }
}
