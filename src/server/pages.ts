/** The page: static files under a strict policy. Nothing of it comes from elsewhere. */
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { roomOf } from './query.ts'
import { onceClosed } from './transports/transport.ts'

const published = fileURLToPath(new URL('../../public', import.meta.url))

export interface PagesOptions {
  /** The folder that is served; ours, if nothing else is said. */
  readonly root?: string
}

export const pages: FastifyPluginAsync<PagesOptions> = async (app, { root = published }) => {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // On a plain-http LAN address browsers ignore these, and say so in the console.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    strictTransportSecurity: false,
  })
  // A file whose answer waits behind another when its connection ends would stay open for ever.
  app.addHook('onSend', async (_request, { raw }, payload) => {
    if (payload instanceof Readable) onceClosed(raw, () => payload.destroy())
    return payload
  })
  // Files are small and on this machine: asked for each time, answered 304 while they are the same.
  await app.register(fastifyStatic, { root, cacheControl: true, maxAge: 0, dotfiles: 'ignore' })

  app.get('/race', { exposeHeadRoute: true }, (_request, reply) => reply.sendFile('race.html'))

  // A code for a camera has capitals only: it is shorter so. What it means is a room in small letters.
  for (const join of ['/J/:room', '/j/:room']) {
    app.get(join, { exposeHeadRoute: true }, (request, reply) => {
      // Beside this address, not at the root of the host: a proxy may have put us below a path.
      return reply.header('cache-control', 'no-store').redirect(`../?room=${roomOf(request).toLowerCase()}`, 302)
    })
  }
}
