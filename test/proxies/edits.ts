/** What a variant changes in a configuration. */
import type { ProxyName } from '../support/real-proxy.ts'

type Edit = (config: string) => string

/** The proxy gives up an answer in which nothing came for so long; Caddy has no such limit. */
export const impatient = (proxy: ProxyName, ms: number): Edit => {
  if (proxy === 'nginx')
    return (config) => `proxy_read_timeout ${ms}ms;\n${config.replace(/ proxy_read_timeout \w+;/, ` proxy_read_timeout ${ms}ms;`)}`
  if (proxy === 'haproxy') return (config) => config.replace(/timeout (client|server|tunnel)( +)\w+/g, `timeout $1$2${ms}ms`)
  return (config) => config
}

/** An idle connection to the server is kept for so long, in ms. */
export const keeping = (proxy: ProxyName, ms: number): Edit => {
  if (proxy === 'nginx') return (config) => config.replace('keepalive 64;', `keepalive 64; keepalive_timeout ${ms}ms;`)
  if (proxy === 'haproxy') return (config) => config.replace(/( {4}server node .*)/, `    http-reuse always\n$1 pool-purge-delay ${ms}ms`)
  return (config) => config.replace(/keepalive \w+/, `keepalive ${ms}ms`)
}

/** nginx without `X-Accel-Buffering: no`: the header comes, and is not heard. */
export const deaf: Edit = (config) => `proxy_ignore_headers X-Accel-Buffering;\n${config.replace(/ proxy_buffering off;/, '')}`

/** nginx keeps every answer for an hour that does not say otherwise; `ignoring` those too that do. */
export const caching = (ignoring = false): Edit => {
  const cache =
    'proxy_cache_path cache keys_zone=answers:1m;\nproxy_cache answers;\nproxy_cache_valid 200 1h;\nproxy_cache_key $request_uri;'
  // Where answers are not gathered they are not kept either.
  return (config) => `${cache}\n${ignoring ? 'proxy_ignore_headers Cache-Control;\n' : ''}${config.replace(/ proxy_buffering off;/, '')}`
}

/** Whatever can be compressed is. */
export const compressing: Record<ProxyName, Edit> = {
  nginx: (config) => `gzip_types *;\ngzip_proxied any;\ngzip_min_length 0;\n${config}`,
  haproxy: (config) =>
    config.replace(
      'backend fourwires\n',
      'backend fourwires\n    compression algo gzip\n    compression type text/event-stream application/json\n',
    ),
  // The tuned one says by itself which types; by its length an answer may be worth it or not, as it comes in pieces.
  caddy: (config) =>
    config.includes('encode gzip {')
      ? config.replace('encode gzip {', 'encode gzip {\n\t\tminimum_length 1')
      : config.replace('\treverse_proxy', '\tencode gzip {\n\t\tminimum_length 1\n\t}\n\treverse_proxy'),
}
