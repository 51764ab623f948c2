/** What a server logs, line by line: what it was right to refuse is no line of its own. */
import { Writable } from 'node:stream'

export function logged(): { readonly log: readonly string[]; readonly stream: Writable } {
  const log: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(chunk.toString())
      done()
    },
  })
  return { log, stream }
}
