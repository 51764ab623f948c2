/** `<fourwires-room>`: the page. Holds the channel and the address; everything else is its children's. */
import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit'
import { type Channel, connect, type TransportName, transportNames } from '../client/index.ts'
import { maxNameLength, parseName, parseRoom } from '../protocol/draft.ts'
import type { KeyHelp, KeysSwitched } from './key-help.ts'
import { listenForKeys } from './keys.ts'
import type { Acknowledged, MessageComposer } from './message-composer.ts'
import type { MessageLog } from './message-log.ts'
import { defaultRoom, type Place, placeQuery, readPlace } from './place.ts'
import { keep, recall, storedAs } from './storage.ts'
import type { TransportChosen } from './transport-toggle.ts'
import type { Discarded } from './unsent-list.ts'
import { cut } from './wires.ts'

const maxRoomLength = 64

export class FourwiresRoom extends LitElement {
  #place: Place = readPlace(location.search)
  #channel: Channel | undefined
  #keys = recall('local', 'keys') !== 'off'
  #leaving = new AbortController()

  /** The room that is entered; none while the address names none. For tests, and for the curious. */
  get channel(): Channel | undefined {
    return this.#channel
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
    listenForKeys(
      {
        on: () => this.#keys,
        choose: (transport) => this.#choose(transport),
        write: () => this.#composer?.focus(),
        help: () => this.querySelector<KeyHelp>('key-help')?.show(),
      },
      signal,
    )
    this.#enter()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leaving.abort()
    this.#channel?.close()
  }

  override render(): TemplateResult {
    const { room, transport, pollMs, roomRefusal, notes } = this.#place
    return html`<main @acknowledged=${this.#acknowledged} @discarded=${this.#discarded}>
      <header>
        <h1>
          <span class="mark" aria-hidden="true">${transportNames.map((name) => html`<i data-transport=${name}></i>`)}</span>
          Fourwires
        </h1>
        <notebook-field
          label="Room"
          verb="Enter"
          .value=${room}
          .refusal=${roomRefusal}
          .most=${maxRoomLength}
          .save=${this.#goTo}
        ></notebook-field>
        <notebook-field
          label="Name"
          verb="Rename"
          .value=${this.#channel?.state.member?.name ?? ''}
          .most=${maxNameLength}
          .save=${this.#rename}
        ></notebook-field>
        <key-help .on=${this.#keys} @keys-switched=${this.#switchKeys}></key-help>
      </header>
      ${notes.map((note) => html`<p class="notice">${note}</p>`)}
      <transport-toggle
        .channel=${this.#channel}
        .wanted=${transport}
        .keys=${this.#keys}
        @transport-chosen=${this.#chosen}
      ></transport-toggle>
      ${
        roomRefusal === undefined
          ? html`<wire-state .channel=${this.#channel} .pollMs=${pollMs}></wire-state>`
          : html`<p class="state" data-testid="state" data-tone="refused">
              ${cut}
              <span
                >No room can be called “${room.slice(0, maxRoomLength)}”. Give another name above, or
                <a href=${placeQuery({ ...this.#place, room: defaultRoom })}>go to the ${defaultRoom}</a>.</span
              >
            </p>`
      }
      <message-log .channel=${this.#channel}></message-log>
      <message-composer .channel=${this.#channel}></message-composer>
      <seq-barcode .channel=${this.#channel}></seq-barcode>
      <room-announcer .channel=${this.#channel}></room-announcer>
    </main>`
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
      this.#channel = connect({ url, room, transport, pollMs, ...(name !== undefined && { name }) })
      this.#channel.on('state', () => this.requestUpdate())
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

  readonly #chosen = ({ transport }: TransportChosen): void => this.#choose(transport)

  readonly #acknowledged = ({ ack, text }: Acknowledged): void => this.querySelector<MessageLog>('message-log')?.store(ack, text)

  readonly #discarded = ({ text }: Discarded): void => this.#composer?.letGo(text)

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
