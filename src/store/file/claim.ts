/**
 * One process per directory. Node has no flock(2), and a file with a process id in it outlives its process: whoever takes
 * over has to guess whether it still lives, and whether another takes over at the same time. A listening socket is let go
 * by the kernel with its process, however that ends. So each process first listens at a name of its own in the directory
 * and then knocks at all others: of two, the one that knocks second finds the first (both may find each other, and both
 * give way). Nothing is ever taken over: who is dead refuses the connection, and is swept up. (So does who has its name
 * and does not listen yet: it finds its name gone, and gives way.)
 * This holds on one machine: a directory on a network drive is not kept from processes of another one.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { open, readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

const spelling = /^lock-(\d+)-[0-9a-f]{12}\.sock$/
/** A socket's address has room for so many bytes at the most (unix(7), sun_path). */
const addressBytes = 100

/** Holds the directory until the returned function is called. @throws Error in one sentence where another process does */
export async function claim(directory: string): Promise<() => Promise<void>> {
  const own = `lock-${process.pid}-${randomBytes(6).toString('hex')}.sock`
  const handle = await open(directory, 'r')
  // A long path is reached through the open directory, where there is such a thing.
  const short = Buffer.byteLength(join(directory, own)) <= addressBytes || process.platform !== 'linux'
  const base = short ? directory : `/proc/self/fd/${handle.fd}`
  const server = createServer((socket) => socket.destroy()).unref()
  const release = async (): Promise<void> => {
    if (server.listening) await new Promise((resolve) => server.close(resolve))
    await rm(join(directory, own), { force: true })
    await handle.close()
  }
  try {
    server.listen({ path: join(base, own), exclusive: true })
    await once(server, 'listening')
    const names = await readdir(directory)
    if (!names.includes(own)) throw new Error(`${directory} is in use: another process looked at the same time. Try again.`)
    for (const name of names) {
      const [, pid] = spelling.exec(name) ?? []
      if (pid === undefined || name === own) continue
      if (await answers(join(base, name))) throw new Error(`${directory} is in use by process ${pid}: one process per directory.`)
      await rm(join(directory, name), { force: true })
    }
  } catch (error) {
    await release()
    throw error
  }
  return release
}

/** Does somebody listen there? The kernel answers, also for a process that is stopped or busy. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    // Anything else than "nobody" is taken for somebody.
    return !['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')
  } finally {
    socket.destroy()
  }
}
