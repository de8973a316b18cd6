import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type ObjectStores } from '../../src/storage/object-store.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const { acme } = workspaceIds;

/** A store that does not take packages in until it is told to, or fails. */
class Gate {
  private open: () => void = () => undefined;
  private gate: Promise<void> = Promise.resolve();
  waiting = 0;
  failing = false;

  close(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  lift(): void {
    this.open();
  }

  wrap(real: ObjectStores): ObjectStores {
    return {
      bucket: (name) => {
        const bucket = real.bucket(name);
        return Object.assign(Object.create(bucket) as typeof bucket, {
          put: async (...given: Parameters<typeof bucket.put>) => {
            if (this.failing) throw Object.assign(new Error('no'), { code: 'EIO' });
            this.waiting++;
            await this.gate;
            return bucket.put(...given);
          },
        });
      },
    };
  }
}

describe('a request that does not come to its end', () => {
  const gate = new Gate();
  let desk: TestDesk;
  let support: Caller;
  let viewer: Caller;
  let owner: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ stores: (real) => gate.wrap(real) });
    [support, viewer, owner] = [await desk.as('support'), await desk.as('viewer'), await desk.as('owner')];
  });
  afterAll(() => desk.close());

  const pathOf = (id: string, tenant: string = HOST_TENANT) => `/v1/workspaces/${tenant}/requests/${id}`;
  const file = async (person: Caller, kind = 'access') => {
    const { status, body } = await person.post('/v1/me/requests', { kind });
    expect(status).toBe(201);
    return body;
  };
  const mailed = (to: string, subject: RegExp, body: RegExp = /./) =>
    eventually(async () =>
      (await desk.mails()).find(
        (mail) =>
          mail.to?.[0]?.address === to && subject.test(mail.subject ?? '') && body.test(mail.text ?? ''),
      ),
    );
  const ready = async (id: string) =>
    desk.db.behindTheScenes(`select 1 from habeas.packages where job_id = $1 and status = 'ready'`, [id]);
  const changeApprovals = (approvals: string) =>
    owner.put(`/v1/workspaces/${acme}/controller`, { approvals });

  describe('is refused', () => {
    test('on a ground of its law only: another is answered with the list', async () => {
      const { id } = await file(viewer, 'deletion');
      const refused = await support.post(`${pathOf(id)}/refusals`, { ground: 'we_would_rather_not' });
      expect(refused).toMatchObject({ status: 422, body: { code: 'refusal.unknown_ground' } });
      expect(refused.body.detail).toMatch(/identity_not_proven/);
      expect(refused.body.detail).toMatch(/legal_obligation|compliance|legal_restriction/);
      expect(refused.body.detail).not.toContain('we_would_rather_not');
      expect((await viewer.get(`/v1/me/requests/${id}`)).body.status).toBe('scheduled');
    });

    test('as a whole: the person reads the ground, the words, and the ways to complain and to a court', async () => {
      const [{ id }] = (await viewer.get('/v1/me/requests')).body.items;
      const explanation = 'You wrote yourself that this is about a bet.';
      const refused = await support.post(`${pathOf(id)}/refusals`, {
        ground: 'manifestly_unfounded',
        // What turns the direction of a line does not reach the person.
        explanation: `\u202e${explanation}\u2069\u200b`,
      });
      expect(refused).toMatchObject({
        status: 201,
        body: {
          status: 'refused',
          outcome: null,
          refusals: [{ ground: 'manifestly_unfounded', part: null }],
        },
      });
      // Staff's words are for the person: they stand in the mail, and sealed in the table.
      expect(JSON.stringify(refused.body)).not.toContain('bet');
      const told = await mailed(demoPeople.viewer.mail, /about your request/);
      expect(told.text).toContain(explanation);
      expect(`${told.text}${told.html}`).not.toMatch(/[\u200b\u202e\u2069]/);
      expect(told.text).toContain(refused.body.refusals[0].source);
      expect(told.text).toMatch(/complain/i);
      expect(told.text).toMatch(/court/i);
      const [row] = await desk.db.behindTheScenes<{ sealed: Buffer }>(
        'select explanation_sealed as sealed from habeas.request_refusals where request_id = $1',
        [id],
      );
      expect(row?.sealed.toString('latin1')).not.toContain('bet');
    });

    test('and is then closed: whatever else is tried answers 409', async () => {
      const [{ id }] = (await viewer.get('/v1/me/requests')).body.items;
      const tried: [string, object][] = [
        ['refusals', { ground: 'manifestly_unfounded' }],
        ['extensions', { reason: 'More' }],
        ['pauses', { reason: 'Who', needed: 'What' }],
        ['verifications', { method: 'link' }],
        ['verifications', { method: 'manual', seen: 'passport' }],
        ['retries', {}],
      ];
      for (const [what, body] of tried)
        expect([what, (await support.post(`${pathOf(id)}/${what}`, body)).body.code]).toEqual([
          what,
          'request.closed',
        ]);
      expect((await support.delete(`${pathOf(id)}/pauses`)).status).toBe(409);
      const withdrawn = await viewer.post(`/v1/me/requests/${id}/withdrawals`);
      expect(withdrawn).toMatchObject({ status: 409, body: { code: 'request.closed' } });
    });

    test('in a part: the part is left out, its workspace’s log says so, and the rest goes ahead', async () => {
      await changeApprovals('approve');
      const filed = await file(viewer);
      const refused = await support.post(`${pathOf(filed.id)}/refusals`, {
        ground: 'rights_of_others',
        part: acme,
        explanation: 'A court sealed these letters.',
      });
      expect(refused.status).toBe(201);
      const done = await desk.reached(viewer, `/v1/me/requests/${filed.id}`, 'fulfilled');
      expect(done).toMatchObject({
        outcome: 'partial',
        refusals: [{ ground: 'rights_of_others', part: acme }],
      });
      const told = await mailed(demoPeople.viewer.mail, /a part of your request/);
      expect(told.text).toContain('A court sealed these letters.');
      expect(told.text).toContain('Acme');
      expect(told.text).toMatch(/complain/i);
      const log = await desk.db.behindTheScenes<{ action: string }>(
        `select action from habeas.events where tenant_id = $1 and action = 'part.refused'
         and targets @> jsonb_build_array(jsonb_build_object('id', $2::text))`,
        [acme, filed.id],
      );
      expect(log).toHaveLength(1);
      expect((await viewer.get(`/v1/me/requests/${filed.id}/package`)).body.manifest.leftOut).toHaveLength(1);
      await changeApprovals('auto');
    });

    test('a part that is none of the request’s is not found; nor is one refused while the run is on', async () => {
      gate.close();
      const filed = await file(viewer);
      const refusePart = (part: string) =>
        support.post(`${pathOf(filed.id)}/refusals`, { ground: 'rights_of_others', part });
      expect((await refusePart(workspaceIds.cedar)).body.code).toBe('part.not_found');
      await desk.reached(viewer, `/v1/me/requests/${filed.id}`, 'in_progress');
      expect(await refusePart(acme)).toMatchObject({ status: 409, body: { code: 'part.in_progress' } });
      gate.lift();
      await desk.reached(viewer, `/v1/me/requests/${filed.id}`, 'fulfilled');
    });

    test('a request of the workspace’s own is withdrawn by its owner, and refused on no ground: it rests on a contract', async () => {
      gate.close();
      const { body } = await owner.post(`/v1/workspaces/${acme}/requests`, {
        kind: 'access',
        scope: 'workspace',
      });
      const path = pathOf(body.id, acme);
      const refused = await support.post(`${path}/refusals`, { ground: 'manifestly_unfounded' });
      expect(refused).toMatchObject({ status: 422, body: { code: 'refusal.not_statutory' } });
      expect((await owner.post(`${path}/withdrawals`)).body.status).toBe('withdrawn');
      gate.lift();
    });
  });

  describe('is withdrawn by the person', () => {
    const withdraw = (id: string, who = viewer) => who.post(`/v1/me/requests/${id}/withdrawals`);

    test('while it cools off', async () => {
      const { id, status } = await file(viewer, 'deletion');
      expect(status).toBe('scheduled');
      expect(await withdraw(id)).toMatchObject({ status: 201, body: { status: 'withdrawn', outcome: null } });
      await mailed(demoPeople.viewer.mail, /is withdrawn/);
      expect((await withdraw(id)).status).toBe(409);
    });

    test('while it waits for a decision, after which nobody decides any more', async () => {
      await changeApprovals('approve');
      const { id, status } = await file(viewer);
      expect(status).toBe('scheduled');
      expect((await withdraw(id)).status).toBe(201);
      expect((await owner.get(pathOf(id, acme))).body.status).toBe('withdrawn');
      await changeApprovals('auto');
    });

    test('while it runs: the running build leaves no package, no link and no mail', async () => {
      const before = gate.waiting;
      gate.close();
      const { id } = await file(viewer);
      await desk.reached(viewer, `/v1/me/requests/${id}`, 'in_progress');
      await eventually(() => gate.waiting > before);
      expect((await withdraw(id)).status).toBe(201);
      gate.lift();
      await eventually(
        async () =>
          (
            await desk.db.behindTheScenes<{ open: boolean }>(
              `select bool_or(status = 'building') as open from habeas.packages where job_id = $1`,
              [id],
            )
          )[0]?.open === false,
      );
      await desk.sweep();
      expect(await ready(id)).toEqual([]);
      const { body } = await viewer.get(`/v1/me/requests/${id}`);
      expect(body).toMatchObject({ status: 'withdrawn', package: null });
      expect((await viewer.get(`/v1/me/requests/${id}/package`)).status).toBe(404);
      const [links] = await desk.db.behindTheScenes<{ n: number }>(
        `select count(*)::int as n from habeas.package_links l join habeas.packages p on p.id = l.package_id where p.job_id = $1`,
        [id],
      );
      expect(links?.n).toBe(0);
    });

    test('while it has failed; before that, support lets it run again', async () => {
      gate.failing = true;
      const { id } = await file(viewer);
      const own = `/v1/me/requests/${id}`;
      for (let attempt = 1; attempt <= 7; attempt++) {
        await eventually(async () => (await support.get(pathOf(id))).body.attempts >= attempt);
        desk.clock.advance(13 * 3_600_000);
        [support, viewer, owner] = [
          await desk.as('support'),
          await desk.as('viewer'),
          await desk.as('owner'),
        ];
        await desk.sweep();
      }
      const failed = await desk.reached(viewer, own, 'failed');
      // Whose fault it is, is told to staff; to the person, that somebody looks after it.
      expect(failed.blockers).toContainEqual(
        expect.objectContaining({ message: expect.stringContaining('looks after') }),
      );
      const stuck = (await support.get('/v1/desk/requests?show=stuck')).body;
      expect(stuck.items).toContainEqual(
        expect.objectContaining({ id, status: 'failed', attempts: 7, waitingFor: ['a person'] }),
      );
      expect(stuck.counts.stuck).toBe(1);

      const again = await support.post(`${pathOf(id)}/retries`);
      expect(again).toMatchObject({ status: 201, body: { status: 'in_progress', attempts: 0 } });
      await eventually(async () => (await support.get(pathOf(id))).body.attempts === 1);
      // It waits for its next try; support need not.
      gate.failing = false;
      await support.post(`${pathOf(id)}/retries`);
      await desk.reached(viewer, own, 'fulfilled');
      expect(await support.post(`${pathOf(id)}/retries`)).toMatchObject({ status: 409 });
      expect((await viewer.post(`${pathOf(id)}/retries`)).status).toBe(404);
    }, 30_000);

    test('and from a failed one nothing is left either', async () => {
      gate.failing = true;
      const { id } = await file(viewer);
      await eventually(async () => (await support.get(pathOf(id))).body.attempts === 1);
      expect((await withdraw(id)).body.status).toBe('withdrawn');
      gate.failing = false;
      desk.clock.advance(3_600_000);
      await desk.sweep();
      expect(await ready(id)).toEqual([]);
    });
  });
});
