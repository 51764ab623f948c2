/** `<fourwires-room>`: the page. Holds the channel, the line to the lab and the address; everything else is its children's. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { type Channel, connect, type TransportName, transportNames } from '../client/index.ts'
import { maxNameLength, parseName, parseRoom } from '../protocol/draft.ts'
import type { ChaosPanel } from './chaos/chaos-panel.ts'
import { isChaotic } from './chaos/chaos-words.ts'
import type { PresenterChanged, PresenterStrip } from './hall/presenter-strip.ts'
import type { KeyHelp, KeysSwitched } from './key-help.ts'
import { listenForKeys } from './keys.ts'
import { LabLink } from './lab-link.ts'
import type { Acknowledged, MessageComposer } from './message-composer.ts'
import type { MessageLog } from './message-log.ts'
import { defaultRoom, type Place, placeQuery, readPlace, type View } from './place.ts'
import type { SeqBarcode } from './seq-barcode.ts'
import { keep, recall, storedAs } from './storage.ts'
import type { TransportChosen } from './transport-toggle.ts'
import type { Discarded } from './unsent-list.ts'
import type { ViewChosen } from './view-tabs.ts'
import type { WireView } from './wire/wire-view.ts'
import { cut, wires } from './wires.ts'

const maxRoomLength = 64

export class FourwiresRoom extends LitElement {
  #place: Place = readPlace(location.search)
  #channel: Channel | undefined
  readonly #lab = new LabLink(document.baseURI)
  #keys = recall('local', 'keys') !== 'off'
  #presenter = false
  #leaving = new AbortController()

  /** The room that is entered; none while the address names none. For tests, and for the curious. */
  get channel(): Channel | undefined {
    return this.#channel
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
    addEventListener('popstate', () => this.#moved(), { signal })
    addEventListener('storage', this.#renamedElsewhere, { signal })
    listenForKeys({ on: () => this.#keys, keys: this.#keyMap() }, signal)
    this.#lab.on('status', (status) => {
      if (status === 'absent') keep('session', 'blurred', undefined)
      this.requestUpdate()
    })
    this.#lab.on('chaos', () => this.requestUpdate())
    this.#lab.on('hall', ({ blurred }) => {
      keep('session', 'blurred', blurred ? 'yes' : undefined)
      this.requestUpdate()
    })
    this.#enter()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leaving.abort()
    this.#channel?.close()
    this.#lab.close()
  }

  #keyMap(): ReadonlyMap<string, () => void> {
    const wire = (): WireView | null => this.querySelector<WireView>('wire-view')
    const chaos = (): ChaosPanel | null => this.querySelector<ChaosPanel>('chaos-panel')
    return new Map<string, () => void>([
      ...transportNames.map((name) => [wires[name].key, () => this.#choose(name)] as const),
      ['/', () => this.#write()],
      ['?', () => this.querySelector<KeyHelp>('key-help')?.show()],
      ['h', () => this.#look('heads')],
      ['g', () => this.#look('game')],
      ['c', () => this.#look('chat')],
      ['w', () => this.#look('wire')],
      ['b', () => this.querySelector<SeqBarcode>('seq-barcode')?.toggleTable()],
      [' ', () => wire()?.togglePause()],
      ['k', () => chaos()?.cut()],
      ['o', () => chaos()?.blackHole()],
      ['f', () => this.querySelector<PresenterStrip>('presenter-strip')?.freeze()],
      ['r', () => location.assign(`race${placeQuery(this.#place)}`)],
    ])
  }

  override render(): TemplateResult {
    const { room, transport, view, notes } = this.#place
    const [channel, lab] = [this.#channel, this.#lab]
    return html`<main data-view=${view} ?data-blurred=${this.#blurred} @acknowledged=${this.#acknowledged} @discarded=${this.#discarded}>
      <header>
        <h1>
          <span class="mark" aria-hidden="true">${transportNames.map((name) => html`<i data-transport=${name}></i>`)}</span>
          Fourwires
        </h1>
        <notebook-field
          label="Room"
          verb="Enter"
          .value=${room}
          .refusal=${this.#place.roomRefusal}
          .most=${maxRoomLength}
          .save=${this.#goTo}
        ></notebook-field>
        <notebook-field
          label="Name"
          verb="Rename"
          .value=${channel?.state.member?.name ?? ''}
          .most=${maxNameLength}
          .fixed=${lab.hall?.generatedNames && !this.#presenter ? 'Names are drawn here: nobody gives their own.' : undefined}
          .save=${this.#rename}
        ></notebook-field>
        <member-count .channel=${channel}></member-count>
        <a class="race-link" href="race${placeQuery(this.#place)}">Race</a>
        <share-link .place=${this.#place}></share-link>
        <key-help .on=${this.#keys} @keys-switched=${this.#switchKeys}></key-help>
      </header>
      <presenter-strip .channel=${channel} .lab=${lab} .room=${room} @presenter-changed=${this.#presents}></presenter-strip>
      ${notes.map((note) => html`<p class="notice">${note}</p>`)}
      <transport-toggle .channel=${channel} .wanted=${transport} .keys=${this.#keys} @transport-chosen=${this.#chosen}></transport-toggle>
      ${this.#state()}
      <view-tabs .view=${view} .chaos=${isChaotic(lab.chaos)} @view-chosen=${this.#viewChosen}></view-tabs>
      <div class="sheet">
        <section class="talk" aria-label="The room">${this.#talk()}</section>
        <section class="instrument" aria-label="Your wires">
          <wire-view .channel=${channel} .lab=${lab}></wire-view>
          <chaos-panel .channel=${channel} .lab=${lab}></chaos-panel>
          <member-list .channel=${channel} .lab=${lab} .room=${room}></member-list>
        </section>
      </div>
      <room-announcer .channel=${channel} .blurred=${this.#blurred}></room-announcer>
    </main>`
  }

  #state(): TemplateResult {
    const { pollMs, room, roomRefusal } = this.#place
    if (roomRefusal === undefined) {
      return html`<wire-state .channel=${this.#channel} .pollMs=${pollMs}></wire-state>
        <chaos-note .lab=${this.#lab}></chaos-note>
        <slot-notice .channel=${this.#channel} .lab=${this.#lab} .room=${room} @transport-chosen=${this.#chosen}></slot-notice>`
    }
    return html`<p class="state" data-testid="state" data-tone="refused">
      ${cut}
      <span
        >No room can be called “${room.slice(0, maxRoomLength)}”. Give another name above, or
        <a href=${placeQuery({ ...this.#place, room: defaultRoom })}>go to the ${defaultRoom}</a>.</span
      >
    </p>`
  }

  /** The log stays, whatever is looked at: what is typed and where one reads are not lost by a look at the heads. */
  #talk(): TemplateResult {
    const { view, room, transport, pollMs, roomRefusal } = this.#place
    const [channel, lab] = [this.#channel, this.#lab]
    const clearedAt = lab.hall?.cleared?.room === room ? lab.hall.cleared.at : undefined
    const game = view === 'game' && roomRefusal === undefined
    return html`<div class="chat">
        <join-card .channel=${channel} .lab=${lab} .room=${room} .presenter=${this.#presenter}></join-card>
        <message-log .channel=${channel} .blurred=${this.#blurred} .clearedAt=${clearedAt}></message-log>
        <message-composer
          .channel=${channel}
          .muted=${lab.hall?.muted === true && !this.#presenter}
          .most=${lab.hall?.textUnits}
        ></message-composer>
        <seq-barcode .channel=${channel}></seq-barcode>
      </div>
      ${view === 'heads' ? html`<shared-heads .channel=${channel} .lab=${lab} .blurred=${this.#blurred}></shared-heads>` : nothing}
      ${
        game
          ? html`<four-in-a-row .channel=${channel} .lab=${lab} .room=${room} .transport=${transport} .pollMs=${pollMs}></four-in-a-row>`
          : nothing
      }`
  }

  /** A page that is loaded again hears of the hall after the first messages: until then it is as it was. */
  get #blurred(): boolean {
    return this.#lab.hall?.blurred ?? recall('session', 'blurred') !== undefined
  }

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    document.title = `${this.#place.room} · Fourwires`
  }

  get #composer(): MessageComposer | null {
    return this.querySelector<MessageComposer>('message-composer')
  }

  /** Enters the room of the address, and leaves the one before. */
  #enter(): void {
    this.#channel?.close()
    this.#channel = undefined
    delete document.documentElement.dataset['ready']
    const { room, transport, pollMs, roomRefusal } = this.#place
    if (roomRefusal === undefined) {
      const name = keptName()
      const url = new URL('.', document.baseURI).href
      this.#channel = connect({ url, room, transport, pollMs, members: true, states: true, ...(name !== undefined && { name }) })
      this.#channel.on('state', ({ member }) => {
        // The line proves by the session's cookie whose wires it may show.
        if (member !== undefined) this.#lab.open()
        this.requestUpdate()
      })
      this.#channel.on('batch', () => (document.documentElement.dataset['ready'] = ''))
    }
    this.requestUpdate()
  }

  /** Back or forward: the address is the truth. */
  #moved(): void {
    const before = this.#place
    this.#place = readPlace(location.search)
    const { room, transport, pollMs } = this.#place
    if (room !== before.room || pollMs !== before.pollMs) return this.#enter()
    if (transport !== before.transport) this.#channel?.switchTo(transport)
    this.requestUpdate()
  }

  readonly #goTo = (room: string): void => {
    this.#place = { ...this.#place, room: parseRoom(room.trim()), roomRefusal: undefined, notes: [] }
    history.pushState(null, '', placeQuery(this.#place))
    this.#enter()
  }

  readonly #rename = async (typed: string): Promise<void> => {
    const name = parseName({ name: typed }) ?? ''
    if (this.#channel === undefined) throw new Error('Enter a room first; the name is kept here.')
    try {
      await this.#channel.rename(name)
    } catch (error) {
      // What `fetch` says when nobody answers is for nobody to read.
      throw error instanceof TypeError
        ? new Error('The server is out of reach. The name is kept here: try again when a wire is live.')
        : error
    }
    keep('local', 'name', name)
    this.requestUpdate()
  }

  /** Another tab of this browser is the same member: it has one name. */
  readonly #renamedElsewhere = ({ key, newValue }: StorageEvent): void => {
    if (key === storedAs('name') && newValue !== null) this.#channel?.rename(newValue).catch(() => {})
  }

  #choose(transport: TransportName): void {
    this.#place = { ...this.#place, transport, notes: [] }
    history.replaceState(null, '', placeQuery(this.#place))
    this.#channel?.switchTo(transport)
    this.requestUpdate()
  }

  #look(view: View): void {
    this.#place = { ...this.#place, view }
    history.replaceState(history.state, '', placeQuery(this.#place) + location.hash)
    this.requestUpdate()
  }

  /** The box is in the chat: it is shown first. */
  #write(): void {
    if (this.#place.view !== 'chat') this.#look('chat')
    void this.updateComplete.then(() => this.#composer?.focus())
  }

  readonly #viewChosen = ({ view }: ViewChosen): void => this.#look(view)

  readonly #chosen = ({ transport }: TransportChosen): void => this.#choose(transport)

  readonly #acknowledged = ({ ack, text }: Acknowledged): void => this.querySelector<MessageLog>('message-log')?.store(ack, text)

  readonly #discarded = ({ text }: Discarded): void => this.#composer?.letGo(text)

  readonly #presents = ({ presenter }: PresenterChanged): void => {
    this.#presenter = presenter
    this.requestUpdate()
  }

  readonly #switchKeys = ({ on }: KeysSwitched): void => {
    this.#keys = on
    keep('local', 'keys', on ? undefined : 'off')
    this.requestUpdate()
  }
}

/** The name of the last visit. One that was tampered with would have us refused before we could change it. */
function keptName(): string | undefined {
  try {
    const name = recall('local', 'name')
    return name === undefined ? undefined : parseName({ name })
  } catch {
    return undefined
  }
}
