/** `<race-view>`: the same message down four lanes at once. Holds the vote, the contest and the address; the rest is its children's. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { type Channel, connect, type TransportName, transportNames } from '../../client/index.ts'
import { listenForKeys } from '../keys.ts'
import { LabLink } from '../lab-link.ts'
import { recall } from '../storage.ts'
import { count, counted } from '../units.ts'
import { wires } from '../wires.ts'
import { Contest, type Standing } from './contest.ts'
import { type Dials, dialsQuery, intervals, placeOfRate, rateAtPlace, readDials, roomQuery } from './dials.ts'
import type { Voted } from './race-vote.ts'
import { statusSentence } from './status.ts'
import { type Before, headline, isWhole, keepOf } from './shown.ts'
import { predictionText } from './verdict.ts'
import { BallotBox, voteRoom, type Votes } from './votes.ts'

/** Numbers that change faster cannot be read. */
const drawMs = 250
const calmDrawMs = 1_000
/** A screen reader is told of another winner at most so often. */
const announceMs = 5_000
/** The farthest place of the rate's dial: see `placeOfRate`. */
const places = 100
/** A page that is loaded revealed takes the votes that it is told of at first: very many come in several batches. */
const votesSettleMs = 1_000

export class RaceView extends LitElement {
  readonly #url = new URL('.', document.baseURI).href
  readonly #lab = new LabLink(document.baseURI)
  readonly #contest = new Contest(this.#url, this.#lab, readDials(location.search), () => this.requestUpdate())
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)')
  #hall: Channel | undefined
  readonly #box = new BallotBox()
  #own: TransportName | undefined
  #open = new URLSearchParams(location.search).has('reveal')
  #paused = false
  #renewing = false
  #standing: Standing | undefined
  #before: Before | undefined
  #closing: ReturnType<typeof setTimeout> | undefined
  #drawing: ReturnType<typeof setInterval> | undefined
  #announced = ''
  #announcedWinners = ''
  #announcedAt = -Infinity
  #leaving = new AbortController()

  /** For tests, and for the curious. */
  get contest(): Contest {
    return this.#contest
  }

  /** As they are counted here. For tests, and for the curious. */
  get votes(): Votes {
    return this.#box.votes
  }

  /** The line to the lab. For tests, and for the curious. */
  get lab(): LabLink {
    return this.#lab
  }

  override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.#lab.on('status', (status) => {
      if (status === 'open') this.#renewing = false
      this.#renew()
      this.requestUpdate()
    })
    this.#lab.on('chaos', () => this.requestUpdate())
    this.#vote()
    document.addEventListener('visibilitychange', () => this.#contest.hide(document.hidden), { signal })
    this.#contest.hide(document.hidden)
    addEventListener('popstate', () => this.#contest.turn(readDials(location.search)), { signal })
    document.addEventListener('keydown', this.#entered, { signal })
    listenForKeys({ on: () => recall('local', 'keys') !== 'off', keys: this.#keyMap() }, signal)
    this.#calm.addEventListener('change', () => this.#draw(), { signal })
    this.#draw()
    if (this.#open) this.#contest.start()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leaving.abort()
    clearInterval(this.#drawing)
    clearTimeout(this.#closing)
    this.#contest.leave()
    this.#hall?.close()
    this.#lab.close()
  }

  #keyMap(): ReadonlyMap<string, () => void> {
    return new Map<string, () => void>([
      ...transportNames.map((name) => [wires[name].key, () => this.#choose(name)] as const),
      ['v', () => this.#reveal()],
      [' ', () => this.#pause()],
      ['r', () => location.assign(`./${roomQuery(location.search)}`)],
    ])
  }

  /** Enter, where it is for nothing else. */
  readonly #entered = ({ key, target }: KeyboardEvent): void => {
    if (key === 'Enter' && (target === document.body || target === document.documentElement)) this.#reveal()
  }

  /** Everybody who looks at the race is in the room of the vote. It also makes us somebody, whose bytes the lab may show. */
  #vote(): void {
    const hall = connect({ url: this.#url, room: voteRoom, transport: 'websocket', states: true })
    this.#hall = hall
    hall.on('state', ({ member }) => {
      if (member !== undefined) this.#contest.enter(member.id)
      this.#renew()
    })
    hall.on('states', (states) => {
      this.#box.count(states)
      this.requestUpdate()
    })
    hall.on('batch', () => {
      document.documentElement.dataset['ready'] = ''
      if (this.#open) this.#closing ??= setTimeout(() => this.#box.close(hall.states), votesSettleMs)
    })
  }

  /** A server that was started again may not know our session any more, and shows the lab to sessions only. */
  #renew(): void {
    const { status, member } = this.#hall?.state ?? {}
    if (this.#renewing || this.#lab.status !== 'away' || status !== 'live' || member === undefined) return
    this.#renewing = true
    this.#hall?.rename(member.name).catch(() => (this.#renewing = false))
  }

  #choose(vote: TransportName): void {
    if (this.#open || this.#contest.status === 'no-lab') return
    this.#own = vote
    this.#hall?.setState({ vote })
    this.requestUpdate()
  }

  #reveal(): void {
    if (this.#open || this.#contest.status === 'no-lab') return
    this.#open = true
    const member = this.#hall?.state.member?.id
    const own = member === undefined || this.#own === undefined ? undefined : { member, vote: this.#own }
    this.#box.close(this.#hall?.states ?? new Map(), own)
    this.#address(location.href)
    this.#contest.start()
    this.requestUpdate()
  }

  #pause(): void {
    if (!this.#open) return
    this.#paused = !this.#paused
    this.#contest.pause(this.#paused)
    this.requestUpdate()
  }

  #turn(change: Partial<Dials>): void {
    // A thumb may have moved where the dial has no other place.
    this.requestUpdate()
    const was = this.#contest.dials
    const dials = { ...was, ...change }
    if (dials.rate === was.rate && dials.pollMs === was.pollMs) return
    this.#before = keepOf(this.#standing, this.#before, was)
    this.#contest.turn(dials)
    this.#address(dialsQuery(location.search, dials) || location.pathname)
    this.#standing = undefined
    // What was announced is of other dials, and the next winner is news again.
    this.#announced = this.#announcedWinners = ''
  }

  /** What is revealed stays so over a reload. */
  #address(address: string): void {
    const url = new URL(address, location.href)
    if (this.#open) url.searchParams.set('reveal', '')
    history.replaceState(null, '', url)
  }

  /** While nobody sees it nothing is drawn: timers of hidden tabs run, frames do not. */
  #draw(): void {
    clearInterval(this.#drawing)
    const step = (): void => {
      if (document.hidden || !this.#open) return
      // What was reached stays to be looked at; a race that runs again counts anew.
      if (this.#contest.status !== 'running') return this.requestUpdate()
      this.#standing = this.#contest.standing(performance.now())
      if (isWhole(this.#standing)) this.#before = undefined
      this.requestUpdate()
    }
    this.#drawing = setInterval(step, this.#calm.matches ? calmDrawMs : drawMs)
  }

  override render(): TemplateResult {
    return html`<main ?data-open=${this.#open} @voted=${({ vote }: Voted) => this.#choose(vote)} @revealed=${() => this.#reveal()}>
      <header>
        <h1>
          <span class="mark" aria-hidden="true">${transportNames.map((name) => html`<i data-transport=${name}></i>`)}</span>
          Race
        </h1>
        <a href="./${roomQuery(location.search)}">Back to the room</a>
      </header>
      ${this.#contest.status === 'no-lab' ? notice : this.#sheet()}
    </main>`
  }

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    this.#announce()
  }

  #sheet(): TemplateResult {
    return html`<race-vote .votes=${this.votes} .own=${this.#own} .open=${this.#open}></race-vote> ${this.#open ? this.#figure() : nothing}`
  }

  #figure(): TemplateResult {
    const { prediction, figures } = this.#standing ?? {}
    const { dials, status } = this.#contest
    const summary = headline(this.#standing, this.#before, dials, status === 'running')
    return html`<p class="verdict" data-testid="verdict">${summary}</p>
      <race-lanes
        .contest=${this.#contest}
        .standing=${this.#standing}
        .earlier=${this.#before}
        .summary=${summary}
        .votes=${this.votes}
      ></race-lanes>
      <div class="under">
        ${this.#dials(dials)}
        <div class="said">
          <p data-testid="prediction">
            ${
              prediction === undefined || figures === undefined
                ? 'The flip is predicted once a few polls are weighed.'
                : predictionText(prediction, figures, dials)
            }
          </p>
          <p class="how" data-testid="status">${statusSentence(this.#contest, this.#lab, this.#standing)}</p>
        </div>
      </div>
      ${this.#books()} ${fairness}
      <p class="unseen" aria-live="polite" data-testid="announcement">${this.#announced}</p>`
  }

  #dials({ rate, pollMs }: Dials): TemplateResult {
    return html`<form class="dials" @submit=${(event: Event) => event.preventDefault()}>
      <label for="rate">Message rate <output for="rate">${rate}/s</output></label>
      <input
        id="rate"
        type="range"
        min="0"
        max=${places}
        .value=${live(String(placeOfRate(rate)))}
        aria-valuetext="${counted(rate, 'message')} a second"
        @input=${({ target }: Event) => this.#turnRate(Number((target as HTMLInputElement).value))}
      />
      <label for="poll">Poll every <output for="poll">${count(pollMs)} ms</output></label>
      <input
        id="poll"
        type="range"
        min=${intervals.least}
        max=${intervals.most}
        step=${intervals.step}
        .value=${live(String(pollMs))}
        aria-valuetext="${count(pollMs)} milliseconds"
        @change=${({ target }: Event) => this.#turn({ pollMs: Number((target as HTMLInputElement).value) })}
      />
      <button type="button" aria-pressed=${this.#paused ? 'true' : 'false'} @click=${() => this.#pause()}>
        ${this.#paused ? 'Go on' : 'Pause'}
      </button>
    </form>`
  }

  /** Low rates are closer to each other than the dial's places: a step is one message a second at least. */
  #turnRate(place: number): void {
    const { rate } = this.#contest.dials
    const turned = rateAtPlace(place)
    const step = Math.sign(place - placeOfRate(rate))
    this.#turn({ rate: turned === rate ? Math.min(100, Math.max(1, rate + step)) : turned })
  }

  #books(): TemplateResult {
    const { ledger } = this.#contest
    if (ledger === undefined) return html``
    const lanes = transportNames.map((name) => `${wires[name].word} ${count(ledger.lane(name).bytes)}`)
    return html`<p class="books" data-testid="books">
      Every byte of this session’s connections, by the sockets’ own count: ${lanes.join(' + ')} + other ${count(ledger.rest)} =
      ${count(ledger.total)} B.
    </p>`
  }

  /** Only another winner is news. */
  #announce(): void {
    const { verdict } = this.#standing ?? {}
    if (verdict === undefined || verdict.bytes.length + verdict.delay.length === 0) return
    const now = performance.now()
    const winners = [verdict.bytes, verdict.delay].join(';')
    if (winners === this.#announcedWinners || now - this.#announcedAt < announceMs) return
    this.#announcedWinners = winners
    this.#announcedAt = now
    this.#announced = verdict.text
    this.requestUpdate()
  }
}

const notice = html`<p class="notice" data-testid="no-lab">
  The race needs the lab: it counts bytes at the server’s sockets, and says the message to all four lanes. This server runs without it.
  Start it without <code>--no-lab</code>, as <code>npm start</code> does, then load this page again.
</p>`

const fairness = html`<p class="fairness">
  One page sends and receives, on one clock, which steps by 0.1 ms. What is said goes over a connection of its own, which weighs on no lane.
  The lanes are opened in an order drawn anew each time; they share one main thread and one machine. Bytes are TCP’s payload at the server’s
  sockets, without the heads of TCP and IP, and without TLS. A lane has its bytes from 5 messages on and its delay from 20. Votes are those
  that were in when you revealed: later ones do not count here.
</p>`
