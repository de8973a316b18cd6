import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';

const { acme, borealis } = workspaceIds;

describe('the legal clock of a request, over HTTP', () => {
  let desk: TestDesk;
  let support: Caller;
  let owner: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    [support, owner] = [await desk.as('support'), await desk.as('owner')];
  });
  afterAll(() => desk.close());

  let written = 0;
  const write = async (more: object = {}) => {
    const mail = `clock${++written}@elsewhere.example`;
    const { status, body } = await support.post('/v1/desk/requests', { mail, channel: 'mail', ...more });
    expect(status).toBe(201);
    return { ...body, mail };
  };
  const pathOf = (id: string, tenant: string = HOST_TENANT) => `/v1/workspaces/${tenant}/requests/${id}`;
  const on = (day: string) => at(`${day}T12:00:00Z`);
  const at = async (moment: string) => {
    desk.clock.set(moment);
    [support, owner] = [await desk.as('support'), await desk.as('owner')];
  };
  /** The mails about this request that wait in the outbox (nothing delivers them here). */
  const letters = (id: string) =>
    desk.db.behindTheScenes<{ template: string }>(
      'select template from habeas.outbox where about = $1 order by created_at, template',
      [id],
    );

  describe('counts from receipt, in the place that decides', () => {
    test('the request’s own jurisdiction goes first, whatever else is known', async () => {
      expect(await write({ jurisdiction: 'br' })).toMatchObject({
        jurisdiction: 'BR',
        law: 'lgpd',
        dueOn: '2026-12-05',
        clock: { decidedBy: 'request' },
      });
      expect(await write({ jurisdiction: 'US-CA' })).toMatchObject({
        law: 'ccpa',
        dueOn: '2027-01-04',
        clock: { decidedBy: 'request', acknowledgeBy: '2026-12-08' /* Thanksgiving and the day after */ },
      });
    });

    test('then the subject’s, as the data map knows it', async () => {
      await desk.db.behindTheScenes(`update atelier.users set country = 'JP' where id = $1`, [
        demoPeople.neighbour.userId,
      ]);
      const { body } = await (await desk.as('neighbour')).post('/v1/me/requests', { kind: 'access' });
      expect(body).toMatchObject({ jurisdiction: 'JP', law: 'jp-appi', clock: { decidedBy: 'subject' } });
    });

    test('then the workspace’s establishment, else its region’s default if somebody chose it, else the earliest law', async () => {
      const inAcme = () => write({ workspaceId: acme });
      const nothingKnown = await inAcme();
      expect(nothingKnown.clock.decidedBy).toBe('earliest');
      const all = await Promise.all(
        ['DE', 'GB', 'US-CA', 'BR', 'CA', 'SA', 'BH', 'JP'].map((jurisdiction) => write({ jurisdiction })),
      );
      expect(nothingKnown.dueOn).toBe(all.map(({ dueOn }) => dueOn).sort()[0]);

      expect((await owner.put(`/v1/workspaces/${acme}/residency`, { region: 'me-south' })).status).toBe(200);
      expect(await inAcme()).toMatchObject({
        jurisdiction: 'BH',
        clock: { decidedBy: 'region', verified: false },
      });

      expect((await owner.put(`/v1/workspaces/${acme}/controller`, { establishment: 'GB' })).status).toBe(
        200,
      );
      expect(await inAcme()).toMatchObject({
        jurisdiction: 'GB',
        law: 'uk-gdpr',
        dueOn: '2026-12-21', // 20 December is a Sunday
        clock: { decidedBy: 'establishment', source: expect.stringContaining('12(3)') },
      });
    });

    test('over several parts the earliest date stands', async () => {
      // Anton belongs to Acme and Borealis; where he is, nobody says.
      await desk.db.behindTheScenes('update atelier.users set country = null where id = $1', [
        demoPeople.admin.userId,
      ]);
      const neighbour = await desk.as('neighbour');
      await neighbour.put(`/v1/workspaces/${borealis}/controller`, { establishment: 'BR' });
      const { body } = await (await desk.as('admin')).post('/v1/me/requests', { kind: 'deletion' });
      expect(body).toMatchObject({ jurisdiction: 'BR', dueOn: '2026-12-05' });
      expect(body.parts).toHaveLength(3);
    });

    test('a typed jurisdiction that no law here covers is refused with those there are, and one in words as well', async () => {
      const write = (jurisdiction: string) =>
        support.post('/v1/desk/requests', { mail: 'a@b.example', channel: 'mail', jurisdiction });
      expect((await write('Germany')).status).toBe(400);
      const unknown = await write('ZZ');
      expect(unknown).toMatchObject({
        status: 422,
        body: { code: 'jurisdiction.unknown', errors: [{ path: 'jurisdiction', code: 'unknown' }] },
      });
      expect(unknown.body.detail).toMatch(/\bDE\b.*\bUS-CA\b.*\bJP\b/);
      expect(unknown.body.detail).not.toContain('ZZ');
      // No row of its own, but a country that has one.
      expect((await write('DE-BY')).body.jurisdiction).toBe('DE');
    });

    test('a code of the host’s own that no law here covers is passed over, and stops nobody', async () => {
      const { userId } = demoPeople.viewer;
      const country = (code: string | null) =>
        desk.db.behindTheScenes('update atelier.users set country = $2 where id = $1', [userId, code]);
      await country('ZZ');
      const viewer = await desk.as('viewer');
      const filed = await viewer.post('/v1/me/requests', { kind: 'access' });
      expect(filed.status).toBe(201);
      expect(filed.body.clock.decidedBy).not.toBe('subject');
      await viewer.post(`/v1/me/requests/${filed.body.id}/withdrawals`);
    });

    test('receipt may lie before the filing: one month from 31 January ends on the last day of February', async () => {
      await on('2027-02-10');
      const late = await write({ receivedAt: '2027-01-31T22:30:00+01:00', jurisdiction: 'DE' });
      // 28 February 2027 is a Sunday.
      expect(late).toMatchObject({ receivedAt: '2027-01-31T21:30:00.000Z', dueOn: '2027-03-01' });
      // An hour later it is February in Berlin.
      const after = await write({ receivedAt: '2027-01-31T23:30:00Z', jurisdiction: 'DE' });
      expect(after.dueOn).toBe('2027-03-01');
      const overdue = await write({ receivedAt: '2026-12-01T12:00:00Z', jurisdiction: 'DE' });
      expect(overdue).toMatchObject({ dueOn: '2027-01-04', overdue: true });
    });

    test('what was stored stays, whatever the workspace changes afterwards', async () => {
      const before = await write({ workspaceId: acme });
      await owner.put(`/v1/workspaces/${acme}/controller`, { establishment: 'BR' });
      const { body } = await support.get(pathOf(before.id, acme));
      expect(body).toMatchObject({ law: 'uk-gdpr', dueOn: before.dueOn });
    });
  });

  describe('is extended', () => {
    test('once, with a reason that is mailed within the first period', async () => {
      await on('2027-04-01');
      const { id, dueOn } = await write({ jurisdiction: 'DE' });
      expect(dueOn).toBe('2027-05-03'); // 1 May is a Saturday and a holiday
      await on('2027-05-03');
      const path = `${pathOf(id)}/extensions`;
      const extended = await support.post(path, { reason: 'There are very many letters to read.' });
      expect(extended).toMatchObject({
        status: 201,
        body: { dueOn: '2027-07-01', clock: { extended: true, originalDueOn: '2027-05-03' } },
      });
      expect(await letters(id)).toContainEqual({ template: 'request-extended' });
      expect(await support.post(path, { reason: 'Again' })).toMatchObject({
        status: 409,
        body: { code: 'deadline.extended_already' },
      });
      expect((await support.post(path, {})).status).toBe(400);
      expect((await owner.post(`${pathOf(id, acme)}/extensions`, { reason: 'Mine' })).status).toBe(403);
    });

    test('not once it has ended, nor where the law knows no extension, nor under a contract', async () => {
      await on('2027-06-01');
      const late = await write({ receivedAt: '2027-04-01T12:00:00Z', jurisdiction: 'DE' });
      const extend = async (id: string, tenant?: string) =>
        (await support.post(`${pathOf(id, tenant)}/extensions`, { reason: 'Too much' })).body.code;
      expect(await extend(late.id)).toBe('deadline.extension_too_late');
      expect(await extend((await write({ jurisdiction: 'BR' })).id)).toBe('deadline.not_extendable');
      const { body } = await owner.post(`/v1/workspaces/${acme}/requests`, {
        kind: 'access',
        scope: 'workspace',
      });
      expect(await extend(body.id, acme)).toBe('deadline.not_statutory');
    });
  });

  describe('is paused', () => {
    const doubt = { reason: 'The name is another.', needed: 'Write from the address we know.' };

    test('only by staff, while identity is in doubt; the date moves by the days it stood, and proof ends it', async () => {
      await on('2027-08-02');
      const { id, dueOn, mail } = await write({ jurisdiction: 'DE' });
      expect(dueOn).toBe('2027-09-02');
      const path = `${pathOf(id)}/pauses`;
      const paused = await support.post(path, doubt);
      expect(paused).toMatchObject({ status: 201, body: { dueOn, clock: { paused: true } } });
      expect(paused.body.blockers).toContainEqual(expect.objectContaining({ code: 'deadline.paused' }));
      expect(await letters(id)).toContainEqual({ template: 'request-paused' });
      expect((await support.post(path, doubt)).status).toBe(409);

      await on('2027-08-05');
      expect((await support.delete(path)).status).toBe(204);
      expect((await support.get(pathOf(id))).body).toMatchObject({
        dueOn: '2027-09-06',
        clock: { paused: false },
      });
      expect((await support.delete(path)).body.code).toBe('deadline.not_paused');

      await support.post(path, doubt);
      await on('2027-08-09');
      await support.post(`${pathOf(id)}/verifications`, { method: 'manual', seen: 'passport' });
      const proven = (await support.get(pathOf(id))).body;
      // Seven days in all: 2 to 5 and 5 to 9 August.
      expect(proven).toMatchObject({
        dueOn: '2027-09-09',
        clock: { paused: false, originalDueOn: '2027-09-02' },
      });
      expect(proven.parts).toHaveLength(1);
      expect(await support.post(path, doubt)).toMatchObject({ body: { code: 'pause.identity_proven' } });
      expect(mail).toBeTruthy();
    });

    test('not by verifying, and not under a law that lets no clock stop', async () => {
      const { id, dueOn } = await write({ jurisdiction: 'US-CA' });
      expect((await support.post(`${pathOf(id)}/pauses`, doubt)).body.code).toBe('deadline.not_pausable');
      await on('2027-08-20');
      await support.post(`${pathOf(id)}/verifications`, { method: 'manual', seen: 'passport' });
      expect((await support.get(pathOf(id))).body.dueOn).toBe(dueOn);
    });

    test('a paused request is not overdue, neither on its own nor on the desk', async () => {
      await on('2027-09-06');
      const { id, dueOn } = await write({ jurisdiction: 'DE', receivedAt: '2027-08-09T12:00:00Z' });
      expect(dueOn).toBe('2027-09-09');
      await support.post(`${pathOf(id)}/pauses`, doubt);
      await on('2027-09-15');
      expect((await support.get(pathOf(id))).body.overdue).toBe(false);
      const shown = async (show: string) => {
        const { items } = (await support.get(`/v1/desk/requests?show=${show}&limit=100`)).body;
        return items.find((item: { id: string }) => item.id === id);
      };
      expect(await shown('overdue')).toBeUndefined();
      expect(await shown('open')).toMatchObject({ overdue: false });
      await support.delete(`${pathOf(id)}/pauses`);
      expect(await shown('open')).toMatchObject({ dueOn: '2027-09-20', overdue: false });
      await on('2027-09-21');
      expect(await shown('overdue')).toMatchObject({ overdue: true });
    });
  });

  test('the CCPA wants to hear of the receipt within ten business days, proven or not: two days after it at the latest', async () => {
    await on('2027-10-04');
    const { id } = await write({ jurisdiction: 'US-CA' });
    await on('2027-10-05');
    await desk.sweep();
    expect((await letters(id)).map(({ template }) => template)).not.toContain('request-acknowledged');
    await on('2027-10-06');
    await desk.sweep();
    await desk.sweep();
    const sent = (await letters(id)).filter(({ template }) => template === 'request-acknowledged');
    expect(sent).toHaveLength(1);
  });

  test('what was filed when the ten business days were nearly over is acknowledged at once, by the date of the place', async () => {
    await on('2027-10-13');
    const acknowledged = async (id: string) =>
      (await letters(id)).filter(({ template }) => template === 'request-acknowledged').length;
    // Ten business days later: California does not keep Columbus Day.
    const soon = await write({ jurisdiction: 'US-CA', receivedAt: '2027-10-04T12:00:00Z' });
    expect(soon.clock.acknowledgeBy).toBe('2027-10-18');
    const late = await write({ jurisdiction: 'US-CA', receivedAt: '2027-09-01T12:00:00Z' });
    await desk.sweep();
    expect([await acknowledged(soon.id), await acknowledged(late.id)]).toEqual([0, 1]);
    await at('2027-10-17T06:59:00Z'); // still Saturday in California
    const last = await write({ jurisdiction: 'US-CA', receivedAt: '2027-10-04T12:00:00Z' });
    await desk.sweep();
    expect(await acknowledged(last.id)).toBe(0);
    await at('2027-10-17T07:01:00Z');
    await desk.sweep();
    await desk.sweep();
    expect(await acknowledged(last.id)).toBe(1);
  });

  test('due dates are dates, in every answer', async () => {
    const { id } = await write();
    const detail = (await support.get(pathOf(id))).body;
    const listed = (await support.get('/v1/desk/requests?limit=1')).body;
    for (const date of [
      detail.dueOn,
      detail.clock.originalDueOn,
      listed.items[0].dueOn,
      listed.counts.oldestDueOn,
    ])
      expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(JSON.stringify([detail, listed])).not.toMatch(/"[a-zA-Z]*[dD]ueOn":"[^"]*T/);
  });
});
