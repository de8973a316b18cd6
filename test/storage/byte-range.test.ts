import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRange } from '../../src/storage/byte-range.js';

describe('the Range header', () => {
  test.each([
    ['bytes=0-0', { from: 0, to: 0 }],
    ['bytes=0-9', { from: 0, to: 9 }],
    ['bytes=5-', { from: 5, to: 9 }],
    ['bytes=5-100', { from: 5, to: 9 }],
    ['bytes=-3', { from: 7, to: 9 }],
    ['bytes=-100', { from: 0, to: 9 }],
    ['Bytes= 2-3 ', { from: 2, to: 3 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-12', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [undefined, null],
    ['', null],
    ['bytes=-', null],
    ['bytes=3-2', null],
    ['bytes=0-1,3-4', null],
    ['lines=0-1', null],
    ['bytes=a-b', null],
    ['bytes=1-2x', null],
  ])('%j of ten bytes', (header, expected) => expect(parseRange(header, 10)).toEqual(expected));

  test('of an empty object is never satisfiable', () => {
    for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1'])
      expect(parseRange(header, 0)).toBe('unsatisfiable');
  });

  test('never leads outside the object, whatever is asked', () => {
    fc.assert(
      fc.property(fc.option(fc.nat()), fc.option(fc.nat()), fc.nat(5000), (first, last, size) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === null || range === 'unsatisfiable') return;
        expect(range.from).toBeGreaterThanOrEqual(0);
        expect(range.to).toBeGreaterThanOrEqual(range.from);
        expect(range.to).toBeLessThan(size);
      }),
    );
  });
});
