/** Single keys: 1 to 4 the transports, / to write, ? for help. Never while somebody types, and not where they are switched off. */
import type { TransportName } from '../client/index.ts'
import { wireOfKey } from './wires.ts'

export interface KeyActions {
  /** Whether the keys work now. */
  on(): boolean
  choose(transport: TransportName): void
  write(): void
  help(): void
}

/** Listens until the signal aborts. */
export function listenForKeys(actions: KeyActions, signal: AbortSignal): void {
  const pressed = (event: KeyboardEvent): void => {
    if (!actions.on() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
    const transport = wireOfKey(event.key)
    if (transport !== undefined) actions.choose(transport)
    else if (event.key === '/') actions.write()
    else if (event.key === '?') actions.help()
    else return
    event.preventDefault()
  }
  document.addEventListener('keydown', pressed, { signal })
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'radio' && target.type !== 'checkbox'
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}
