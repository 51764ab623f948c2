/** Single keys, each with what it does. Never while somebody types, and not where they are switched off (WCAG 2.1.4). */

export interface KeyActions {
  /** Whether the keys work now. */
  readonly on: () => boolean
  /** What each does. A key is as `KeyboardEvent.key` spells it. */
  readonly keys: ReadonlyMap<string, () => void>
}

/** Listens until the signal aborts. */
export function listenForKeys({ on, keys }: KeyActions, signal: AbortSignal): void {
  const pressed = (event: KeyboardEvent): void => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return
    if (takesKeys(event.target, event.key) || document.querySelector('dialog[open]') !== null) return
    const act = keys.get(event.key)
    if (act === undefined) return
    act()
    event.preventDefault()
  }
  document.addEventListener('keydown', pressed, { signal })
}

/** Is this key for what has the focus: a letter for a field, the space bar for whatever it presses? */
function takesKeys(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement && (target.type === 'radio' || target.type === 'checkbox')) return key === ' '
  if (target.isContentEditable || target.matches('input, textarea, select')) return true
  return key === ' ' && target.closest('button, summary, a, [role=button], [role=tab]') !== null
}
