import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { checkCertificate } from '../../src/deletion/certificate/check.js';
import { TestDesk } from '../support/desk.js';

const DAY = 86_400_000;
const { member } = demoPeople;

describe('the link in the mail that tells of an erasure', () => {
  let desk: TestDesk;
  let link: string;
  let id: string;
  const json = { accept: 'application/json' };
  const page = async () => {
    const response = await fetch(`${desk.config.publicUrl}/p/${link}`, { headers: json });
    return { status: response.status, body: (await response.json()) as Record<string, any> };
  };

  beforeAll(async () => {
    desk = await TestDesk.open();
    const me = await desk.as('member');
    // Somebody else writes of her, which is theirs to keep and nobody's to erase.
    await desk.db.behindTheScenes(
      `update atelier.users set display_name = 'Assistant of ' || $1 where id = any ($2)`,
      [member.mail, [demoPeople.owner.userId, demoPeople.admin.userId, demoPeople.viewer.userId]],
    );
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    id = filed.body.id as string;
    await desk.reached(me, `/v1/me/requests/${id}`, 'fulfilled');
    link = await desk.linkTo(member.mail, 'p');
  });
  afterAll(() => desk.close());

  test('tells the outcome, and offers the certificate to people and programs', async () => {
    expect(await page()).toMatchObject({
      status: 200,
      body: { state: 'closed', status: 'fulfilled', mayWithdraw: false, certificate: { final: true } },
    });
    const shown = await fetch(`${desk.config.publicUrl}/p/${link}`, { headers: { accept: 'text/html' } });
    expect(await shown.text()).toContain(`href="${link}/certificate"`);
    const file = await fetch(`${desk.config.publicUrl}/p/${link}/certificate`);
    expect(file.headers.get('content-disposition')).toMatch(
      /^attachment; filename="certificate-[0-9a-f-]{36}\.json"$/,
    );
    const keys = (await desk.anybody().get('/.well-known/habeas-keys.json')).body;
    const text = await file.text();
    expect(() => checkCertificate(text, keys.keys)).not.toThrow();
    expect(text).not.toContain(member.userId);
  });

  test('counts where others mention the person, and staff read in which tables, to review them', async () => {
    const place = { schema: 'atelier', table: 'users', column: 'display_name', kind: 'mail', rows: 3 };
    const support = await desk.as('support');
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
    const { mentions } = (await support.get(path)).body;
    expect(mentions).toContainEqual(place);
    const all = mentions.reduce((sum: number, { rows }: { rows: number }) => sum + rows, 0);
    expect((await support.get(`${path}/certificate`)).body.mentions).toBe(all);
    const [event] = await desk.db.behindTheScenes<{ metadata: object; targets: object; subjects: string[] }>(
      `select metadata, targets, subjects from habeas.events where action = 'mentions.found'`,
    );
    expect(event).toMatchObject({ metadata: { mentions }, targets: [{ type: 'erasure' }], subjects: [] });
    expect(JSON.stringify([event, mentions])).not.toContain(member.mail);
    // What tables a host has is nothing that the person is told.
    expect(JSON.stringify((await page()).body)).not.toContain('display_name');
  });

  test('keeps nothing of the person: its row is a hash', async () => {
    const rows = await desk.db.behindTheScenes<{ row: string }>(
      'select t::text as row from habeas.request_verifications t where request_id = $1',
      [id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(member.mail);
    expect(rows[0]?.row).not.toContain(link);
  });

  test('while rows are still to be swept it stays, and for thirty days after the final certificate', async () => {
    await desk.db.behindTheScenes(
      `insert into habeas.tombstones (tenant_id, erasure_id, ordinal, collection, key, due_at, next_attempt_at)
       select tenant_id, id, 1, 'integrations', '[]', $1, $1 from habeas.erasures`,
      [new Date('2028-01-01')],
    );
    desk.clock.advance(40 * DAY);
    await desk.sweep();
    expect((await page()).status).toBe(200);
    await desk.db.behindTheScenes('update habeas.tombstones set swept_at = $1', [desk.clock.now()]);
    desk.clock.advance(30 * DAY - 1000);
    await desk.sweep();
    expect((await page()).status).toBe(200);
    desk.clock.advance(1000);
    expect(await page()).toMatchObject({ status: 410, body: { code: 'proof.expired' } });
    await desk.sweep();
    expect((await page()).status).toBe(404);
    const support = await desk.as('support');
    const kept = await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${id}/certificate`);
    expect(kept.status).toBe(200);
  });
});

test('thirty days after closing it ends', async () => {
  const desk = await TestDesk.open();
  try {
    const me = await desk.as('member');
    const { body } = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    await desk.reached(me, `/v1/me/requests/${body.id}`, 'fulfilled');
    const link = await desk.linkTo(member.mail, 'p');
    desk.clock.advance(30 * DAY - 1000);
    expect((await desk.anybody().get(`/p/${link}/certificate`)).status).toBe(200);
    desk.clock.advance(1000);
    expect((await desk.anybody().get(`/p/${link}/certificate`)).status).toBe(410);
  } finally {
    await desk.close();
  }
});
