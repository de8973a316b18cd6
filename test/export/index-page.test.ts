import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium as browsers, type Page } from 'playwright-core';
import { indexPage, type PackageContents } from '../../src/export/index-page.js';
import { examplePackage } from './index-page.example.js';

const changed = (change: (contents: PackageContents) => void): PackageContents => {
  const contents = examplePackage();
  change(contents);
  return contents;
};

describe('the page in a package', () => {
  test('says what it is, who answers for it, and what is in it', () => {
    const page = indexPage(examplePackage());
    expect(page).toContain('<title>Your data at Atelier</title>');
    for (const said of [
      '18,204',
      'Messages you wrote',
      'Dr. Ines Okafor',
      'European Union (Frankfurt)',
      '20 November 2026',
    ]) {
      expect(page).toContain(said);
    }
  });

  test('speaks of the workspace in a workspace package, and falls back where nobody is named', () => {
    const workspace = changed(({ manifest }) => {
      manifest.scope = 'workspace';
      manifest.workspaceId = manifest.legalInformation[1]?.workspaceId ?? '';
    });
    expect(indexPage(workspace)).toContain('<title>The data of Acme – شركة أكمي</title>');
    const unnamed = changed(({ manifest }) => {
      manifest.legalInformation = [];
      manifest.region = null;
    });
    expect(indexPage(unnamed)).toContain('<title>Your data at this service</title>');
  });

  test('names the region of each workspace that an account reaches into, and that the account has none', () => {
    const page = indexPage(examplePackage());
    expect(page).toContain('An account belongs to no region of its own');
    expect(page).toMatch(/Acme – شركة أكمي<\/dt>\s*<dd dir="auto">European Union \(Frankfurt\)/);
    expect(page).toMatch(/1b0e5a0c-6f43-4a4e-9d0e-0f6f3a0b7c12<\/dt>\s*<dd dir="auto">none/);
    const workspace = changed(({ manifest }) => {
      manifest.region = { id: 'ap-northeast', name: 'Asia Pacific (Tokyo)' };
      delete manifest.workspaces;
    });
    expect(indexPage(workspace)).toMatch(/from the region\s+Asia Pacific \(Tokyo\)/);
    expect(indexPage(workspace)).not.toContain('id="workspaces"');
  });

  test('leaves out what there is none of', () => {
    const plain = changed(({ manifest }) =>
      Object.assign(manifest, { leftOut: [], files: [], missingFiles: [], workspaces: [], sealedValues: 0 }),
    );
    const page = indexPage(plain);
    for (const id of ['left-out', 'files', 'workspaces', 'sealed']) expect(page).not.toContain(`id="${id}"`);
  });

  test('shows a hundred files, and says how many more there are', () => {
    const many = changed(({ manifest }) => {
      const [one] = manifest.files;
      if (one) manifest.files = Array.from({ length: 1234 }, () => one);
    });
    expect(indexPage(many)).toContain('And 1,134 more');
  });

  test('takes for sealed what the data map says is sealed, however it looks, and nothing else', () => {
    const page = indexPage({
      ...examplePackage(),
      samples: new Map([
        [
          'data/messages.json',
          [
            { id: 1, body: 'v1:gAAAAAB', note: 'c2VlbXMgc2VhbGVk' },
            { id: 2, body: { iv: 'x' }, note: '\\x6b86' },
            { id: 3, body: null, note: 'plain' },
          ],
        ],
      ]),
    });
    for (const shown of ['sealed, 10 bytes', 'c2VlbXMgc2VhbGVk', '\\x6b86']) expect(page).toContain(shown);
    for (const hidden of ['gAAAAAB', '&quot;iv&quot;']) expect(page).not.toContain(hidden);
  });

  test('says that there is nothing, when there is nothing', () => {
    const nothing = changed(({ manifest }) => Object.assign(manifest, { data: [] }));
    expect(indexPage(nothing)).toContain('There is no data in this package.');
  });

  describe('in a browser', () => {
    let browser: Browser;
    let page: Page;
    let folder: string;
    const problems: string[] = [];
    const requested: string[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'habeas-page-'));
      await writeFile(join(folder, 'index.html'), indexPage(examplePackage()));
      browser = await browsers.launch({
        executablePath: await chromium.executablePath(),
        args: ['--headless', '--no-sandbox', '--disable-gpu', '--single-process', '--no-zygote'],
      });
      page = await browser.newPage();
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => requested.push(request.url()));
      await page.goto(pathToFileURL(join(folder, 'index.html')).href);
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });

    test('fetches nothing but itself, and breaks none of its own rules', () => {
      expect(requested).toHaveLength(1);
      expect(problems).toEqual([]);
    });

    test('shows markup in the data as text', async () => {
      expect(await page.locator('script').count()).toBe(0);
      expect(await page.getByText("<script>alert('no')</script>").count()).toBe(1);
      expect(await page.getByText('Northwind <Studio>').count()).toBe(1);
    });

    test('sets text that runs from right to left that way', async () => {
      expect(
        await page.evaluate<string>(
          `getComputedStyle([...document.querySelectorAll('td')].find((cell) => cell.textContent.includes('مرحبا'))).direction`,
        ),
      ).toBe('rtl');
    });

    test('marks sealed values, with their size, instead of showing ciphertext', async () => {
      expect(await page.getByText('sealed, 72 bytes').count()).toBe(1);
      expect(await page.getByText(Buffer.from('6b86b273ff34', 'hex').toString('base64')).count()).toBe(0);
    });

    test('links to files beside it, whatever their names', async () => {
      const links = await page.evaluate<string[]>(
        `[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))`,
      );
      expect(links).toContain('./data/messages.json');
      expect(links.map(decodeURIComponent)).toContain('./files/attachments/0002-صورة الفريق #1.jpg');
      expect(links.every((link) => /^(?:#|\.\/|manifest\.json$)/.test(link))).toBe(true);
    });

    test('has one heading per section in order, and every table can be reached with the keyboard', async () => {
      const levels = await page.evaluate<number[]>(
        `[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))`,
      );
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      levels.reduce((before, level) => (expect(level - before).toBeLessThanOrEqual(1), level));
      expect(await page.locator('.scroll:not([tabindex="0"][role="region"][aria-label])').count()).toBe(0);
    });

    test('fits a telephone without scrolling sideways', async () => {
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    });
  });
});
