/** The page: static files under a strict policy. Nothing of it comes from elsewhere. */
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../public', import.meta.url))

export const pages: FastifyPluginAsync = async (app) => {
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
  // Files are small and on this machine: asked for each time, answered 304 while they are the same.
  await app.register(fastifyStatic, { root, cacheControl: true, maxAge: 0, dotfiles: 'ignore' })
}
