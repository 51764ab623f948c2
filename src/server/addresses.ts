/** Where this machine is found on its networks. */
import type { AddressInfo } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** Of this machine's interfaces, by name. */
export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

/** Bridges, tunnels and the networks of containers and virtual machines: no phone is on them. */
const virtual = /^(docker|br-|bridge|veth|virbr|vmnet|vboxnet|vethernet|utun|tun|tap|tailscale|zt|wg|podman|lxc|cni|flannel|awdl|llw)/i
/** Where phones are, as a rule. */
const wireless = /^(wl|wi-?fi|wireless|en0$)/i
/** RFC 1918. */
const isPrivate = (address: string): boolean => /^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)/.test(address)
/** RFC 3927 and RFC 4291, 2.5.6: given to itself by who got no other. */
const isLinkLocal = (address: string): boolean => /^(169\.254\.|fe[89ab])/i.test(address)

/** The URLs under which phones find a server that listens there, best first; none where only this machine can. */
export function lanAddresses(
  { address, port }: Pick<AddressInfo, 'address' | 'port'>,
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  const everywhere = address === '0.0.0.0' || address === '::'
  const found = Object.entries(interfaces).flatMap(([name, list]) => (list ?? []).map((each) => ({ name, ...each })))
  const rank = ({ name, family, address: own }: (typeof found)[number]): number =>
    (isLinkLocal(own) ? 16 : 0) +
    (virtual.test(name) ? 8 : 0) +
    (family === 'IPv6' ? 4 : 0) +
    (isPrivate(own) ? 0 : 2) +
    (wireless.test(name) ? 0 : 1)
  const reachable = found.filter(({ internal, family, address: own }) => {
    // A link-local address of IPv6 needs a zone, which no URL of a browser can have.
    if (internal || (family === 'IPv6' && (address === '0.0.0.0' || isLinkLocal(own)))) return false
    return everywhere || own === address
  })
  const ranked = reachable.toSorted((one, other) => rank(one) - rank(other))
  return ranked.map(({ family, address: own }) => `http://${family === 'IPv6' ? `[${own}]` : own}:${port}`)
}

/** Is this one of the machine's own addresses? Who comes from there is no other device. */
export function isOwnAddress(address: string, interfaces: Interfaces = networkInterfaces()): boolean {
  // A socket of both families shows IPv4 so (RFC 4291, 2.5.5.2).
  const bare = address.replace(/^::ffff:/i, '').replace(/%.*$/, '')
  if (bare.startsWith('127.') || bare === '::1') return true
  return Object.values(interfaces).some((list) => list?.some(({ address: own }) => own === bare))
}
