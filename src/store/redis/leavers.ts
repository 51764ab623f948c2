/** Members whose session has ended, told to every node: a hint at once, and a list that is looked at every second. */
import type { Connection } from './connection.ts'
import { parseHint } from './hint.ts'
import type { Library } from './library.ts'

/** So long one is remembered as told, in ms: longer than the list has it. */
const rememberedMs = 180_000

export class Leavers {
  /** Called once for each. */
  told: (member: string) => void = () => {}
  readonly #connection: Connection
  readonly #functions: Library
  readonly #key: string
  readonly #channel: string
  /** Each that was told, its version, and when that was; the longest ago first. */
  readonly #known = new Map<string, { readonly version: number; readonly at: number }>()
  /** Up to which version the list was looked at. */
  #since = 0
  #stop: () => void = () => {}

  constructor(connection: Connection, functions: Library) {
    this.#connection = connection
    this.#functions = functions
    this.#key = connection.key('left', 'members-left')
    this.#channel = connection.key('left', 'members-leave')
  }

  /** Who left before now is nobody's here. */
  async begin(): Promise<void> {
    this.#stop = await this.#connection.subscribe(this.#channel, (text) => {
      const { version, member } = parseHint<{ readonly version: string; readonly member: string }>(text) ?? {}
      if (member !== undefined) this.#hear(member, Number(version))
    })
    await this.look()
  }

  async leave(member: string): Promise<void> {
    await this.#connection.call(this.#functions, 'leave', [this.#key], [member, this.#channel])
  }

  async look(): Promise<void> {
    const list = (await this.#connection.call(this.#functions, 'left', [this.#key], [this.#since], { only: 'read' })) as string[]
    for (let index = 0; index < list.length; index += 2) this.#hear(list[index] ?? '', Number(list[index + 1]))
    this.#since = Number(list.at(-1) ?? this.#since)
    const now = performance.now()
    for (const [member, { at }] of this.#known) {
      if (now - at < rememberedMs) break
      this.#known.delete(member)
    }
  }

  close(): void {
    this.#stop()
    this.told = () => {}
  }

  #hear(member: string, version: number): void {
    if ((this.#known.get(member)?.version ?? 0) >= version) return
    this.#known.delete(member)
    this.#known.set(member, { version, at: performance.now() })
    this.told(member)
  }
}
