/** What is under way, for who waits for it: on standard error. */

/** So often a cell that runs long says how far it is, where there is no terminal, in ms. */
const saysEveryMs = 30_000

/** One line on a terminal, that says what is under way; elsewhere a line for each cell that is done, and now and then of one that takes long. */
export class Progress {
  readonly #saidAt = new Map<string, number>()
  readonly #running = new Map<string, string>()
  readonly #total: number
  #done = 0

  constructor(total: number) {
    this.#total = total
  }

  begin(name: string): void {
    this.#running.set(name, '')
    this.#saidAt.set(name, performance.now())
    this.#draw()
  }
  say(name: string, words: string): void {
    this.#running.set(name, ` ${words}`)
    if (!process.stderr.isTTY && performance.now() - (this.#saidAt.get(name) ?? 0) > saysEveryMs) {
      this.#saidAt.set(name, performance.now())
      console.error(`${this.#done} of ${this.#total}  ${name}: ${words}`)
    }
    this.#draw()
  }
  end(name: string, words: string): void {
    this.#running.delete(name)
    this.#done++
    if (!process.stderr.isTTY) console.error(`${this.#done} of ${this.#total}  ${name} ${words}`)
    this.#draw()
  }
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }

  #draw(): void {
    if (!process.stderr.isTTY) return
    const text = `${this.#done} of ${this.#total}  ${[...this.#running].map(([name, words]) => name + words).join('  ')}`
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}
