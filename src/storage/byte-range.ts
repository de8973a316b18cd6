import { type ByteRange } from './object-store.js';

/**
 * The one range that a `Range` header asks of an object of `size` bytes (RFC 9110, 14.1.2): `null` where the
 * whole object is the answer (no header, another unit, several ranges, or nonsense, all of which a server
 * may ignore), `'unsatisfiable'` where the answer is 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return null;
  if (first === '')
    return Number(last) === 0 || size === 0
      ? 'unsatisfiable'
      : { from: Math.max(0, size - Number(last)), to: size - 1 };
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return null;
  return from >= size ? 'unsatisfiable' : { from, to };
}
