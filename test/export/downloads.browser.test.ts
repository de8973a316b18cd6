import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import chromium from '@sparticuz/chromium';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium as browsers, type Download, type Page } from 'playwright-core';
import { type Delivery, delivery, type Stored } from './delivery.js';

let browser: Browser;
beforeAll(async () => {
  browser = await browsers.launch({
    executablePath: await chromium.executablePath(),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--single-process', '--no-zygote'],
  });
}, 60_000);
afterAll(() => browser.close());

/** Opens a link, reaches the button by keyboard alone, and presses it. */
async function downloadByKeyboard(page: Page, link: string): Promise<Download> {
  await page.goto(link);
  await page.keyboard.press('Tab');
  expect(await page.locator(':focus').textContent()).toMatch(/^Download \(/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  return download;
}

async function pageOf(problems: string[]): Promise<Page> {
  const page = await browser.newPage();
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  return page;
}

describe('in a browser', () => {
  let here: Delivery;
  beforeAll(async () => {
    here = await delivery();
  });
  afterAll(() => here.close());

  test('one key press downloads the file, whole, under a name that says what it is', async () => {
    const stored: Stored = await here.ready();
    const problems: string[] = [];
    const page = await pageOf(problems);
    const download = await downloadByKeyboard(page, `${here.url}/d/${stored.link.token}`);
    expect(download.suggestedFilename()).toBe(`data-package-${stored.jobId.slice(0, 8)}.zip`);
    expect(await readFile(await download.path())).toEqual(stored.content);
    expect(problems).toEqual([]);
  });

  test('the page has a heading, a language, and fits a narrow phone', async () => {
    const stored = await here.ready();
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } });
    await page.goto(`${here.url}/d/${stored.link.token}`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
      'The copy of your data is ready',
    );
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.getByRole('button').count()).toBe(1);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });
});

describe('with a storage at another origin', () => {
  let there: Server;
  let here: Delivery;
  const asked: string[] = [];
  beforeAll(async () => {
    there = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('content-disposition', 'attachment; filename="elsewhere.zip"').end('from elsewhere');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => there.once('listening', resolve));
    const origin = `http://127.0.0.1:${(there.address() as AddressInfo).port}`;
    here = await delivery(
      (local) => ({
        bucket: (name) =>
          Object.assign(Object.create(local.bucket(name)) as ReturnType<typeof local.bucket>, {
            signedUrl: (path: string) => Promise.resolve(`${origin}/signed/${path}`),
          }),
      }),
      { SUPABASE_URL: origin, SUPABASE_SERVICE_KEY: 'key' },
    );
  });
  afterAll(async () => {
    await here.close();
    there.closeAllConnections();
    await new Promise((resolve) => there.close(resolve));
  });

  test('the form may lead there', async () => {
    const stored = await here.ready();
    const problems: string[] = [];
    const download = await downloadByKeyboard(await pageOf(problems), `${here.url}/d/${stored.link.token}`);
    expect(await readFile(await download.path(), 'utf8')).toBe('from elsewhere');
    expect(asked).toEqual([`/signed/${stored.path}`]);
    expect(problems).toEqual([]);
  });

  test('nothing is served from here', async () => {
    const answer = await fetch(`${here.url}/objects/dsar-exports/x?expires=1&sig=x`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'route.not_found' });
  });
});
