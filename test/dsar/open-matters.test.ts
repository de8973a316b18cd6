import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type UnitOfWork } from '../../src/database/unit-of-work.js';
import { claimMatter, closeMatter } from '../../src/dsar/filing/open-matters.js';
import { type Request } from '../../src/dsar/request.js';
import { TestDesk } from '../support/desk.js';

let desk: TestDesk;
beforeAll(async () => {
  desk = await TestDesk.open({ work: false });
});
afterAll(() => desk.close());

const tenancy = systemTenancy(HOST_TENANT, 'test');

/** As `tx`, but `meanwhile` happens between its first statement and the next. */
const interrupted = (tx: UnitOfWork, meanwhile: () => Promise<unknown>): UnitOfWork => {
  let first = true;
  return new Proxy(tx, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property);
      if (property !== 'query' || typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const rows: unknown = await Reflect.apply(member, target, args);
        if (first) {
          first = false;
          await meanwhile();
        }
        return rows;
      };
    },
  });
};

test('a matter whose request closes while another looks at it is the other’s, and has one owner', async () => {
  const member = await desk.as('member');
  const { id: closing, subjects: theirs } = (await member.post('/v1/me/requests', { kind: 'access' })).body;
  expect(theirs.length).toBeGreaterThan(1);
  const { id } = (await (await desk.as('viewer')).post('/v1/me/requests', { kind: 'access' })).body as {
    id: string;
  };
  const request = { id, tenant: HOST_TENANT, kind: 'access', scope: 'account' } as Request;

  // In whatever order they are named.
  const taken = await desk.db.database.within(tenancy, (tx) =>
    claimMatter(tx, request, [...theirs].reverse()),
  );
  expect(taken).toBe(closing);

  const other = await desk.db.database.within(tenancy, (tx) =>
    claimMatter(
      interrupted(tx, () =>
        desk.db.database.within(tenancy, (their) => closeMatter(their, closing as string)),
      ),
      request,
      theirs,
    ),
  );
  expect(other).toBeUndefined();
  const owners = await desk.db.behindTheScenes<{ id: string }>(
    `select request_id as id from habeas.open_matters where request_id = any ($1) and kind = 'access' and scope = 'account'`,
    [[id, closing]],
  );
  expect(owners).toEqual([{ id }]);
});
