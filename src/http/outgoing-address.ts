import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { DomainError } from '../errors.js';

/**
 * How far a call out may go: `public` only to addresses of the open Internet, over https; `local` also over http, to
 * this machine and private networks, for trying out. Nowhere else, so never to a cloud's metadata address.
 */
export type Reach = 'public' | 'local';

/** Whether this deployment may call what is not public: only outside production. */
export const reachOf = ({ production }: { production: boolean }): Reach => (production ? 'public' : 'local');

export type Resolve = (host: string) => Promise<LookupAddress[]>;

const resolveAll: Resolve = (host) =>
  new Promise((resolve, reject) => {
    resolveName(host, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });

const nearby: readonly string[] = ['loopback', 'private', 'uniqueLocal'];

/** An address written as IPv6 that means an IPv4 one is judged as that. */
export function mayReach(address: string, reach: Reach): boolean {
  if (!isIP(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  // Of IPv6 only 2000::/3 has been given out; what lies elsewhere is nobody's.
  if (range === 'unicast')
    return parsed.kind() === 'ipv4' || ((parsed.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
  return reach === 'local' && nearby.includes(range);
}

/**
 * What can be said of an address before anything is looked up.
 * @throws DomainError `outgoing.url_refused`
 */
export function readTarget(text: string, reach: Reach): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['https:', 'http:'].includes(url.protocol)) throw refused('It must be a web address.');
  if (url.username || url.password) throw refused('It must not contain a user name or a password.');
  if (reach === 'public' && url.protocol !== 'https:') throw refused('It must start with https://.');
  const port = Number(url.port || 443);
  // Below 1024 live mail servers and the like, which must not be spoken to in HTTP.
  if (reach === 'public' && port !== 443 && port < 1024)
    throw refused('Its port must be 443, or 1024 and above.');
  const host = hostOf(url);
  const isLocalName = /(^|\.)(localhost|local|internal|localdomain)\.?$/i.test(host) || !/[.:]/.test(host);
  if (reach === 'public' && isLocalName) throw refused('Its host must be reachable on the open Internet.');
  if (isIP(host) && !mayReach(host, reach)) throw refused('Its host must be reachable on the open Internet.');
  return url;
}

export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/**
 * A look-up for the very connection that is made: a name that answers otherwise the second time (DNS rebinding) is
 * judged by the answer that is used. One forbidden address among several refuses the name.
 */
export const guardedLookup =
  (reach: Reach, resolve: Resolve = resolveAll): LookupFunction =>
  (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => mayReach(address, reach)))
          callback(
            new DomainError('outgoing.address_refused', 'This host has an address that is not public.'),
            '',
          );
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };

const refused = (why: string) =>
  new DomainError('outgoing.url_refused', `This address cannot be called. ${why}`);
