/** The presenter's buttons and sliders: what may be asked, in the bounds that the server keeps. */
import { html, type TemplateResult } from 'lit'
import { type TransportName, transportNames } from '../../client/index.ts'
import { type Hall, presenterLimits } from '../../lab/events.ts'
import { count } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import type { HallChange } from './presenter.ts'

const freezesMs = [500, 1_000, 2_000] as const

/** What the buttons ask for. */
export interface Orders {
  readonly room: string
  /** A freeze is on: another has to wait. */
  readonly freezing: boolean
  /** Asked once; everything said here goes with the second time. */
  readonly clearing: boolean
  readonly freeze: (ms: number) => void
  readonly cut: (transport: TransportName) => void
  /** `done` is what to say once it is so. */
  readonly change: (change: HallChange, done: string) => void
  readonly askToClear: (asks: boolean) => void
  readonly clear: () => void
}

export function ordersOf(hall: Hall | undefined, orders: Orders): TemplateResult {
  const { room } = orders
  return html`<div class="strip-orders">
    ${freezes(orders)} ${cuts(orders)} ${said(hall, orders)}
    ${slider({
      label: 'Bot',
      aside: 'the server’s own',
      now: hall?.bot.rate ?? 0,
      most: presenterLimits.botRate,
      unit: 'msg/s',
      chosen: (rate) =>
        orders.change({ bot: { rate, room } }, rate === 0 ? 'The bot is silent.' : `The bot says ${count(rate)} msg/s in “${room}”.`),
    })}
    ${slider({
      label: 'Swarm',
      aside: 'synthetic, same machine',
      now: hall?.swarm.members ?? 0,
      most: presenterLimits.swarmMembers,
      unit: 'members',
      chosen: (members) =>
        orders.change(
          { swarm: { members, room } },
          members === 0 ? 'The swarm leaves.' : `${count(members)} synthetic members come into “${room}”, from this machine.`,
        ),
    })}
  </div>`
}

function freezes({ freezing, freeze }: Orders): TemplateResult {
  return html`<fieldset>
    <legend>Freeze the server</legend>
    ${freezesMs.map(
      (ms) => html`<button type="button" aria-disabled=${freezing ? 'true' : 'false'} @click=${() => freeze(ms)}>${ms / 1000} s</button>`,
    )}
  </fieldset>`
}

function cuts({ cut }: Orders): TemplateResult {
  return html`<fieldset>
    <legend>Cut everybody’s</legend>
    ${transportNames.map(
      (name) =>
        html`<button type="button" data-transport=${name} title="Cut every connection of ${wires[name].word}" @click=${() => cut(name)}>
          ${glyph(name, wires[name].title)}
        </button>`,
    )}
  </fieldset>`
}

function press(label: string, on: boolean | undefined, { change }: Orders, to: (on: boolean) => HallChange): TemplateResult {
  return html`<button
    type="button"
    aria-pressed=${on ? 'true' : 'false'}
    @click=${() => change(to(!on), `${label} is ${on ? 'off' : 'on'}, on every page.`)}
  >
    ${label}
  </button>`
}

/** Clearing asks once more, in the same place: nothing jumps under the finger. */
function said(hall: Hall | undefined, orders: Orders): TemplateResult {
  const { room, clearing, askToClear, clear } = orders
  if (clearing)
    return html`<fieldset>
      <legend>All said in “${room}” goes?</legend>
      <button type="button" data-testid="clear" @click=${clear}>Clear it</button>
      <button type="button" @click=${() => askToClear(false)}>Keep it</button>
    </fieldset>`
  return html`<fieldset>
    <legend>What is said</legend>
    ${press('Blur', hall?.blurred, orders, (on) => ({ blurred: on }))} ${press('Mute', hall?.muted, orders, (on) => ({ muted: on }))}
    <button type="button" @click=${() => askToClear(true)}>Clear…</button>
  </fieldset>`
}

interface Slider {
  readonly label: string
  readonly aside: string
  readonly now: number
  readonly most: number
  readonly unit: string
  readonly chosen: (value: number) => void
}

function slider({ label, aside, now, most, unit, chosen }: Slider): TemplateResult {
  const id = `hall-${label.toLowerCase()}`
  const output = ({ target }: Event): HTMLOutputElement | null => (target as HTMLElement).parentElement?.querySelector('output') ?? null
  const value = ({ target }: Event): number => Number((target as HTMLInputElement).value)
  // While it is dragged the number goes along; it is asked for once it is let go.
  const dragged = (event: Event): void => {
    const shown = output(event)
    if (shown !== null) shown.value = `${count(value(event))} ${unit}`
  }
  return html`<fieldset>
    <legend><label for=${id}>${label}</label>, ${aside}</legend>
    <input
      id=${id}
      type="range"
      min="0"
      max=${most}
      .value=${String(now)}
      aria-valuetext="${count(now)} ${unit}"
      @input=${dragged}
      @change=${(event: Event) => chosen(value(event))}
    />
    <output for=${id} .value=${`${count(now)} ${unit}`}></output>
  </fieldset>`
}
