import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { TestDesk } from '../support/desk.js';

const { member } = demoPeople;
const MINUTE = 60_000;

let desk: TestDesk;
beforeEach(async () => {
  desk = await TestDesk.open({ work: false });
});
afterEach(() => desk.close());

test(
  'a row that somebody locks for a minute is waited for: the rest goes at once, and then it goes as well',
  async () => {
    const somebody = new pg.Client({ connectionString: desk.db.ownerUrl });
    await somebody.connect();
    await somebody.query('begin');
    const { rows } = await somebody.query<{ id: string }>(
      'select id from atelier.messages where author_id = $1 order by id limit 1 for update',
      [member.userId],
    );
    const locked = rows[0]?.id;
    const me = await desk.as('member');
    const { id } = (await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' })).body;
    const started = performance.now();
    const left: string[][] = [];
    setTimeout(() => {
      void desk.db
        .behindTheScenes<{ id: string }>('select id from atelier.messages where author_id = $1', [
          member.userId,
        ])
        .then((messages) => left.push(messages.map((message) => message.id)))
        .then(() => somebody.query('commit'));
    }, MINUTE);

    await desk.app.get(DeletionFulfilment).run({ tenant: HOST_TENANT, id });

    expect(performance.now() - started).toBeGreaterThan(MINUTE);
    expect(left).toEqual([[locked]]);
    expect((await me.get(`/v1/me/requests/${id}`)).body).toMatchObject({
      status: 'fulfilled',
      outcome: 'full',
    });
    await somebody.end();
  },
  3 * MINUTE,
);
