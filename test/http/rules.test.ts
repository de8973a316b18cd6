import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { DomainError } from '../../src/errors.js';
import { cursorOf, pageFrom, readCursor } from '../../src/http/paging.js';
import { problemOf, statusOf } from '../../src/http/problems.js';
import { RouteTable } from '../../src/http/route-table.js';

describe('a code has one status', () => {
  test.each([
    ['auth.required', 401],
    ['auth.token_expired', 401],
    ['auth.invalid_token', 401],
    ['auth.forbidden', 403],
    ['request.not_found', 404],
    ['request.duplicate', 409],
    ['request.irreversible', 409],
    ['request.invalid_transition', 409],
    ['deadline.paused_already', 409],
    ['request.wrong_status', 409],
    ['verification.not_needed', 409],
    ['verification.too_many', 409],
    ['verification.too_late', 409],
    ['link.expired', 410],
    ['deletion.sole_owner', 422],
    ['refusal.unknown_ground', 422],
    ['verification.too_often', 429],
    ['datamap.drift', 503],
    ['storage.unavailable', 503],
    ['config.invalid', 500],
    ['never.heard_of', 422],
  ])('%s: %i', (code, status) => expect(statusOf(code)).toBe(status));

  test('what an operator must mend is not told to a caller', () => {
    const { body } = problemOf(new DomainError('config.invalid', 'MASTER_KEY is missing'), 'r-1');
    expect(body).toMatchObject({ status: 500, code: 'server.error' });
    expect(JSON.stringify(body)).not.toContain('MASTER_KEY');
  });

  test('what an error says besides cannot stand in for what a problem is', () => {
    const error = new DomainError('request.duplicate', 'There is one.', {
      extra: { requestId: 'r-2', status: 200 },
    });
    expect(problemOf(error).body).toMatchObject({ status: 409, requestId: 'r-2' });
  });
});

describe('a cursor', () => {
  const Key = z.tuple([z.string(), z.number()]);

  test('leads back to the key it was made from', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (id, at) => {
        expect(readCursor(Key, cursorOf([id, at]))).toEqual([id, at]);
      }),
    );
  });

  test('that this list did not give out is wrong input', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => readCursor(Key, text)).toThrow(expect.objectContaining({ code: 'input.invalid' }));
      }),
    );
    expect(() => readCursor(Key, cursorOf(['a', 'b']))).toThrow(DomainError);
  });

  test('is there exactly when there is more', () => {
    const page = (rows: number[]) => pageFrom(rows, 2, (row) => row);
    expect(page([])).toEqual({ items: [], next: null });
    expect(page([1, 2])).toEqual({ items: [1, 2], next: null });
    expect(page([1, 2, 3])).toEqual({ items: [1, 2], next: cursorOf(2) });
  });
});

test('a catch-all route says nothing about the methods of addresses that do not exist', () => {
  const routes = new RouteTable();
  routes.add('/a/:id', ['GET', 'HEAD']);
  routes.add('/a/:id', 'DELETE');
  routes.add('/*', 'GET');
  expect(routes.methodsFor('/a/1?x')).toEqual(['DELETE', 'GET', 'HEAD']);
  expect(routes.methodsFor('/a/1/b')).toEqual([]);
});
