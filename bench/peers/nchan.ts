/** Nchan (C, a module of nginx): one worker with a configuration of its own, in a folder that goes with it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Usage } from '../subject.ts'

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const nginx = folders.map((folder) => join(folder, 'nginx')).find(existsSync)
const nchanModule = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules']
  .map((folder) => join(folder, 'ngx_nchan_module.so'))
  .find(existsSync)

/** Why Nchan cannot be measured here, as a sentence; undefined where it can. */
export const nchanMissing: string | undefined =
  process.platform === 'linux' && nginx !== undefined && nchanModule !== undefined
    ? undefined
    : 'Nchan was left out: it needs Linux and nginx with its module (on Debian: apt-get install nginx libnginx-mod-nchan).'

/** Longer than any round. */
const readyMs = 5_000

export interface Nchan {
  readonly url: string
  usage(): Usage
  end(): void
}

/**
 * On a free port of 127.0.0.1, on the cores of the process that starts it; ends with that process at the latest.
 * @throws Error with nginx's own words where it does not start
 */
export async function startNchan(): Promise<Nchan> {
  if (nginx === undefined || nchanModule === undefined) throw new Error(nchanMissing)
  const folder = mkdtempSync(join(tmpdir(), 'fourwires-nchan-'))
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port))
  const master = spawn(nginx, ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  let worker: number | undefined
  const end = (): void => {
    // The master first: it would replace its worker.
    master.kill('SIGKILL')
    if (worker !== undefined && existsSync(`/proc/${worker}`)) process.kill(worker, 'SIGKILL')
    worker = undefined
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  const url = `http://127.0.0.1:${port}`
  await ready(`${url}/poll/ready`, join(folder, 'error.log'))
  worker = Number(readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, 'utf8').trim().split(' ')[0])
  return { url, usage: () => usageOf(worker ?? 0), end }
}

async function ready(url: string, log: string): Promise<void> {
  for (let left = readyMs; ; left -= 20) {
    const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined)
    if (answer?.status === 304) return
    if (left <= 0) throw new Error(`nginx did not start: ${existsSync(log) ? readFileSync(log, 'utf8').slice(-500) : 'it left no log'}`)
    await sleep(20)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Its worker's: the scheduler counts run time in ns, where `stat` has ticks of 10 ms. */
function usageOf(pid: number): Usage {
  const ran = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]
  const resident = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuMs: Number(ran) / 1e6, rssBytes: Number(resident) * 1024 }
}

const configuration = (folder: string, port: number): string => `
load_module ${nchanModule};
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile 65536;
pid ${folder}/nginx.pid;
events { worker_connections 32768; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  nchan_message_buffer_length 100000;
  nchan_message_timeout 1h;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/poll/([\\w-]+)$ { nchan_subscriber intervalpoll; nchan_channel_id $1; }
    location ~ ^/long-poll/([\\w-]+)$ { nchan_subscriber longpoll; nchan_channel_id $1; }
    location ~ ^/sse/([\\w-]+)$ { nchan_subscriber eventsource; nchan_channel_id $1; }
    location ~ ^/websocket/([\\w-]+)$ { nchan_subscriber websocket; nchan_channel_id $1; }
    location ~ ^/messages/([\\w-]+)$ { nchan_publisher http; nchan_channel_id $1; }
  }
}
`
