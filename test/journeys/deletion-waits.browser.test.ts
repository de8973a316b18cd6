import chromium from '@sparticuz/chromium';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium as browsers, type Page } from 'playwright-core';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

let browser: Browser;
let desk: TestDesk;
beforeAll(async () => {
  browser = await browsers.launch({
    executablePath: await chromium.executablePath(),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--single-process', '--no-zygote'],
  });
  desk = await TestDesk.open();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await desk.close();
});

const program = { accept: 'application/json' };
const seen = new Set<string>();

/** Writes in, and proves the address by the link that is mailed; answers the link. */
async function wroteIn(mail: string, kind: 'access' | 'deletion', more: object = {}) {
  const support = await desk.as('support');
  await support.post('/v1/desk/requests', { kind, mail, channel: 'letter', ...more });
  const token = await eventually(async () => {
    const theirs = (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === mail));
    const tokens = theirs.map(({ text }) => /\/p\/([A-Za-z0-9_-]{64})/.exec(text ?? '')?.[1]);
    return tokens.find((found) => found !== undefined && !seen.has(found));
  });
  seen.add(token);
  const confirmed = await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, program);
  expect(confirmed.status).toBe(200);
  return { link: `${desk.config.publicUrl}/p/${token}` };
}

/** Opened at a width; nothing of it is out of view, and no fault is in it. */
async function open(link: string, width = 1100): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(link);
  expect(faults).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  return page;
}
const said = (page: Page) => page.locator('body').innerText();
const titleOf = (page: Page) => page.getByRole('heading', { level: 1 }).innerText();

describe('the page behind the link of a deletion that waits', () => {
  let deletion: { link: string };

  test('says all that stands in the way, and what ends it', async () => {
    const { mail } = demoPeople.neighbour;
    await wroteIn(mail, 'access');
    deletion = await wroteIn(mail, 'deletion', { coolingOff: 'P2D' });
    for (const width of [1100, 360]) {
      const page = await open(deletion.link, width);
      expect(await titleOf(page)).toBe('Something stands in the way of your deletion');
      const text = await said(page);
      expect(text).toContain('You are the only owner of a workspace. Make somebody else an owner');
      expect(text).toMatch(/or its link has ended, until \d+ \w+ 20\d\d \(.+\) at the latest/);
      expect(text).toMatch(/Nothing is deleted before \d+ \w+ 20\d\d at \d+:\d\d \(.+\)\./);
      expect(text).toContain('To keep your account and your data, withdraw this request');
      expect(text).not.toMatch(/being worked on|T\d\d:\d\d|sole_owner|access_open/);
    }
  });

  test('does not wait for the copy once that is waived there', async () => {
    const page = await open(deletion.link);
    await page.getByText('Do not wait for the copy of my data').click();
    await page.getByRole('button', { name: 'Do not wait' }).click();
    await page.getByText('It waits no longer for the copy').waitFor();
    expect(await said(page)).not.toContain('Your copy comes first');
    expect(await titleOf(page)).toBe('Something stands in the way of your deletion');
  });

  test('says so when only the time to change one’s mind is left, and takes it back', async () => {
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [workspaceIds.borealis, demoPeople.admin.userId],
    );
    const page = await open(deletion.link, 360);
    expect(await titleOf(page)).toBe('Your deletion has not begun yet');
    await page.getByText('Withdraw this request', { exact: true }).click();
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByRole('heading', { name: 'This request was withdrawn' }).waitFor();
    expect(await said(page)).not.toMatch(/stands in the way|Deletion begins/);
  });
});

describe('of a deletion that a hold stops', () => {
  const { mail, userId } = demoPeople.viewer;
  const holdOn = async (disclosable: boolean) => {
    const support = await desk.as('support');
    const holds = `/v1/workspaces/${workspaceIds.acme}/holds`;
    const { status } = await support.post(holds, {
      ...{ subject: { kind: 'user', key: userId }, ground: 'A lawsuit about invoices', disclosable },
      reviewOn: '2027-01-31',
    });
    expect(status).toBe(201);
  };

  test('the page tells of one that may be told, and not a word of one that may not', async () => {
    await holdOn(false);
    const { link } = await wroteIn(mail, 'deletion', { coolingOff: 'PT0S' });
    await desk.sweep();
    const secret = await open(link);
    expect(await titleOf(secret)).toBe('Your request is being worked on');
    expect(await said(secret)).not.toMatch(/lawsuit|kept|hold|stands in the way/i);
    const facts = await (await fetch(link, { headers: program })).json();
    expect(facts).toMatchObject({ state: 'open', status: 'scheduled', blockers: [] });

    await holdOn(true);
    const told = await open(link, 360);
    expect(await titleOf(told)).toBe('Something stands in the way of your deletion');
    expect(await said(told)).toContain('The data has to be kept for now: A lawsuit about invoices.');
  });
});
