import { readdirSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { eventually } from '../support/eventually.js';
import { type Delivery, delivery, neighbour, type Stored, workspace } from './delivery.js';

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const program = { accept: 'application/json' };
const DAY = 86_400_000;

let it_: Delivery;
let stored: Stored;
const at = (path: string) => `${it_.url}${path}`;
const link = () => at(`/d/${stored.link.token}`);
const look = (headers: Record<string, string> = browser, url = link()) => fetch(url, { headers });
const press = (headers: Record<string, string> = browser, url = link()) =>
  fetch(url, { method: 'POST', headers, body: new URLSearchParams(), redirect: 'manual' });
const eventsOf = async ({ id }: Stored) =>
  (await it_.events()).filter(({ targets }) => targets.some((target) => target.id === id));
const downloads = async () =>
  (
    await it_.db.behindTheScenes<{ downloads: number }>(
      'select downloads from habeas.package_links where id = $1',
      [stored.link.id],
    )
  )[0]?.downloads;
async function address(): Promise<string> {
  const answer = await press();
  expect(answer.status).toBe(303);
  return answer.headers.get('location') ?? '';
}

beforeAll(async () => {
  it_ = await delivery();
});
afterAll(() => it_.close());
beforeEach(async () => {
  it_.clock.set('2026-11-20T12:00:00Z');
  stored = await it_.ready();
});

describe('looking at a link', () => {
  test('says what would be downloaded, and nothing of what it says', async () => {
    const answer = await look();
    const page = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page).toContain('Acme &#60;Bureau&#62; &#38; Söhne');
    expect(page).toContain('European Union (Frankfurt)');
    expect(page).toContain('27 November 2026 at 12:00 (UTC)');
    expect(page).toMatch(/Messages<\/bdi><\/dt>\s*<dd>1,234<\/dd>/);
    expect(page).toContain('nothing found: Integrations');
    expect(page).toContain('12 values are stored encrypted');
    expect(page).not.toContain('SENTINEL-SUBJECT');
    expect(page.match(/<button/g)).toHaveLength(1);
    expect(page).not.toMatch(/<script|<link|https?:\/\//);
  });

  test.each([
    ['the host, of an account', { scope: 'account', workspaceId: undefined }, 'Host GmbH'],
    ['the workspace, of what it was asked for', {}, 'Acme'],
  ] as const)('names above the card who answers, as the mail did: %s', async (_, its, name) => {
    const [host, acme] = [{ name: 'Host GmbH' }, { name: 'Acme' }];
    const legalInformation = [
      { controller: host, items: [] },
      { controller: acme, workspaceId: workspace, items: [] },
    ];
    const named = await it_.ready({ manifest: { ...its, legalInformation } });
    const page = await (await fetch(`${it_.url}/d/${named.link.token}`, { headers: browser })).text();
    expect(page).toContain(`<p class="from"><bdi>${name}</bdi></p>`);
    expect(page).toContain('Who holds the data');
  });

  test('answers the same facts to a program', async () => {
    const answer = await look(program);
    expect(await answer.json()).toEqual({
      requestId: stored.jobId,
      scope: 'person',
      workspaceId: workspace,
      controllers: ['Acme <Bureau> & Söhne'],
      region: { id: 'eu', name: 'European Union (Frankfurt)' },
      builtAt: '2026-11-20T12:00:00.000Z',
      expiresAt: '2026-11-27T12:00:00.000Z',
      bytes: 5000,
      contents: [
        { collection: 'messages', title: 'Messages', rows: 1234 },
        { collection: 'invoices', title: 'Invoices', rows: 3 },
        { collection: 'integrations', title: 'Integrations', rows: 0 },
      ],
      sealedValues: 12,
      missingFiles: 0,
      leftOut: [],
    });
  });

  test('names the parts that were left out, whatever their names hold', async () => {
    const part = { workspaceId: neighbour, name: '</ul><b>x', reason: 'refused' as const };
    stored = await it_.ready({ manifest: { scope: 'account', leftOut: [part] } });
    const page = await (await look()).text();
    expect(page).toContain('<bdi>&#60;/ul&#62;&#60;b&#62;x</bdi>: this part was refused');
  });

  test('burns nothing, however often a mail scanner opens it', async () => {
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'OPTIONS'])
      await fetch(link(), { method, headers: browser });
    expect(await eventsOf(stored)).toEqual([]);
    expect(await downloads()).toBe(0);
    expect((await press()).status).toBe(303);
  });

  test('lets the form lead to the storage and no script run', async () => {
    const policy = (await look()).headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`form-action 'self' ${it_.url};`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
  });
});

describe('downloading', () => {
  test('is recorded once, and leads to the whole file for five minutes', async () => {
    const url = await address();
    const [event, ...more] = await eventsOf(stored);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ tenant_id: workspace, action: 'package.downloaded', outcome: 'success' });
    expect(event?.targets).toContainEqual({ type: 'request', id: stored.jobId });
    expect(await downloads()).toBe(1);

    const file = await fetch(url);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-disposition')).toContain(`data-package-${stored.jobId.slice(0, 8)}.zip`);
    expect(Buffer.from(await file.arrayBuffer())).toEqual(stored.content);

    it_.clock.advance(5 * 60_000);
    const late = await fetch(url, { headers: program });
    expect(late.status).toBe(410);
    expect(await late.json()).toMatchObject({ code: 'object.link_expired' });
    expect(await (await fetch(url, { headers: browser })).text()).toContain('took a break too long');
  });

  test('needs no body and no browser', async () => {
    const answer = await fetch(link(), { method: 'POST' });
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(stored.content);
  });

  test('can be resumed: ranges, If-Range and HEAD hold end to end', async () => {
    const url = await address();
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('5000');
    expect(head.headers.get('accept-ranges')).toBe('bytes');
    const etag = head.headers.get('etag') ?? '';

    const part = await fetch(url, { headers: { range: 'bytes=1000-1999', 'if-range': etag } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 1000-1999/5000');
    expect(Buffer.from(await part.arrayBuffer())).toEqual(stored.content.subarray(1000, 2000));

    const other = await fetch(url, { headers: { range: 'bytes=1000-1999', 'if-range': '"another"' } });
    expect(other.status).toBe(200);
    expect((await other.arrayBuffer()).byteLength).toBe(5000);

    const beyond = await fetch(url, { headers: { range: 'bytes=5000-' } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe('bytes */5000');
  });

  test('closes the file when the client goes away', async () => {
    stored = await it_.ready({ content: Buffer.alloc(64 * 1024 * 1024, 1) });
    const url = await address();
    await new Promise<void>((resolve, reject) => {
      const asking = get(url, (answer) => {
        answer.once('data', () => {
          expect(openFiles()).toContain(stored.id);
          asking.destroy();
          resolve();
        });
      });
      asking.on('error', (error) => (asking.destroyed ? undefined : reject(error)));
    });
    await eventually(() => !openFiles().includes(stored.id));
  });

  test('grants that one object only', async () => {
    const url = await address();
    const foreign = await it_.ready({ tenant: neighbour });
    const answer = await fetch(url.replace(encodeURI(stored.path), encodeURI(foreign.path)), {
      headers: program,
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'object.link_invalid' });
  });
});

describe('a link that leads nowhere', () => {
  test.each([
    [
      'ended',
      'link.expired',
      () => {
        it_.clock.advance(7 * DAY);
        return Promise.resolve(false);
      },
    ],
    [
      'was withdrawn',
      'link.revoked',
      () =>
        it_.db.database.within(systemTenancy(workspace, 'test'), (tx) =>
          it_.packages.revokeLink(tx, stored.jobId, stored.link.id),
        ),
    ],
  ])('says that it %s, refuses, and records the try', async (words, code, arrange) => {
    await arrange();
    const page = await look();
    expect(page.status).toBe(410);
    expect(await page.text()).toContain(words);
    const problem = await look(program);
    expect(problem.status).toBe(410);
    expect(problem.headers.get('content-type')).toContain('application/problem+json');
    expect(await problem.json()).toMatchObject({ code });
    expect(await eventsOf(stored)).toEqual([]);

    const refused = await press();
    expect(refused.status).toBe(410);
    expect(refused.headers.get('location')).toBeNull();
    expect(await eventsOf(stored)).toMatchObject([
      { action: 'package.download_refused', outcome: 'denied', metadata: { code } },
    ]);
    expect(await downloads()).toBe(0);
  });

  test('is told apart by nothing: unknown, cut short, or with the front of another tenant', async () => {
    const bytes = Buffer.from(stored.link.token, 'base64url');
    const moved = Buffer.concat([Buffer.from(neighbour.replaceAll('-', ''), 'hex'), bytes.subarray(16)]);
    const unknown = Buffer.concat([bytes.subarray(0, 16), Buffer.alloc(32)]);
    const before = (await it_.events()).length;
    for (const token of [
      moved.toString('base64url'),
      unknown.toString('base64url'),
      stored.link.token.slice(0, 40),
    ]) {
      for (const answer of [
        await look(program, at(`/d/${token}`)),
        await press(program, at(`/d/${token}`)),
      ]) {
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject({ code: 'link.not_found' });
      }
      const page = await look(browser, at(`/d/${token}`));
      expect(page.status).toBe(404);
      expect(await page.text()).toContain('not one of ours');
    }
    expect((await it_.events()).length).toBe(before);
  });
});

test('no token is ever written to the log', async () => {
  const url = await address();
  await fetch(url);
  await look();
  it_.clock.advance(8 * DAY);
  await press();
  expect(it_.log()).toContain('/d/:token');
  expect(it_.log()).not.toContain(stored.link.token);
  expect(it_.log()).not.toContain(new URL(url).searchParams.get('sig'));
});

/** What this process holds open, by name. */
const openFiles = (): string =>
  readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .join('\n');

describe('how many links', () => {
  test('a package gets twenty at most, withdrawn ones included, however many ask at once', async () => {
    const tenancy = systemTenancy(workspace, 'test');
    const { id, jobId } = stored;
    await it_.db.database.within(tenancy, (tx) => it_.packages.revokeLink(tx, jobId, stored.link.id));
    const asked = await Promise.allSettled(
      Array.from({ length: 25 }, () =>
        it_.db.database.within(tenancy, (tx) => it_.packages.issueLink(tx, id)),
      ),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(19);
    const refused = asked.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as object] : [],
    );
    expect(refused).toHaveLength(6);
    for (const error of refused) expect(error).toMatchObject({ code: 'link.too_many' });
    const links = await it_.db.database.within(tenancy, (tx) => it_.packages.links(tx, id));
    expect(links).toHaveLength(20);
  });
});
