import { type PackageContents } from '../../src/export/index-page.js';

const sha256 = 'a'.repeat(64);
const acme = '0b0e5a0c-6f43-4a4e-9d0e-0f6f3a0b7c11';
const file = (collection: string, title: string, purpose: string, rows: number, sealedValues = 0) => ({
  collection,
  title,
  purpose,
  rows,
  sealedValues,
  path: `data/${collection}.json`,
  bytes: rows * 480 + 3,
  sha256,
  controller: 'workspace' as const,
});

/** A package that has everything a page can show. */
export const examplePackage = (): PackageContents => ({
  manifest: {
    format: 'habeas-package/1',
    id: '7d1f0d5e-4c8e-4c39-8a53-0a4f2f0a8e11',
    requestId: '2c9a6f9e-93a2-4a8c-b5a7-5a1b3d1e6f22',
    scope: 'account',
    region: null,
    workspaces: [
      { id: acme, name: 'Acme – شركة أكمي', region: { id: 'eu', name: 'European Union (Frankfurt)' } },
      { id: '1b0e5a0c-6f43-4a4e-9d0e-0f6f3a0b7c12', region: null },
    ],
    generatedAt: '2026-11-20T09:41:00.000Z',
    dataMapHash: sha256,
    subjects: [{ kind: 'user', key: '42' }],
    legalInformation: [
      {
        controller: {
          name: 'Atelier',
          contact: 'privacy@atelier.example',
          dpo: 'Dr. Ines Okafor, dpo@atelier.example',
          authority: 'Der Hessische Beauftragte für Datenschutz und Informationsfreiheit',
          establishment: 'Frankfurt am Main, Germany',
        },
        items: [
          {
            code: 'purposes',
            article: 'Art. 15(1)(a)',
            title: 'What it is used for',
            text: ['Your account: to let you sign in and to write to you about it.'],
          },
          {
            code: 'retention',
            article: 'Art. 15(1)(d)',
            title: 'How long it is kept',
            text: ['Until you delete your account. Invoices for ten years, as tax law requires.'],
          },
          {
            code: 'rights',
            article: 'Art. 15(1)(e)',
            title: 'What else you may ask for',
            text: [
              'You may have wrong data corrected, data deleted or its use restricted, and object to its use.',
              'You may complain to the supervisory authority.',
            ],
          },
        ],
      },
      {
        workspaceId: acme,
        controller: { name: 'Acme – شركة أكمي' },
        items: [
          {
            code: 'purposes',
            article: 'Art. 15(1)(a)',
            title: 'What it is used for',
            text: ['Working together on projects.'],
          },
        ],
      },
    ],
    leftOut: [
      {
        workspaceId: '5e6c1d2a-0f6b-4a0e-8a55-9e0d3f3c1b77',
        name: 'Northwind <Studio>',
        reason: 'not_decided_in_time',
      },
    ],
    sealedValues: 3,
    data: [
      file(
        'users',
        'Your account',
        'To let you sign in, and to show your name to the people you work with.',
        1,
      ),
      {
        ...file('messages', 'Messages you wrote', 'To work together in shared rooms.', 18204, 3),
        sealedColumns: ['body'],
      },
      file('invoices', 'Invoices', 'To be paid, and because tax law requires it.', 3),
      file('integrations', 'Integrations you connected', 'To bring in what you asked for.', 0),
      file('customers', 'Letters to a workspace', 'To answer them.', 0),
    ],
    files: [
      {
        collection: 'attachments',
        key: 7,
        name: 'Entwurf – Größe & Maß.pdf',
        path: 'files/attachments/0001-Entwurf – Größe & Maß.pdf',
        bytes: 2_480_113,
        sha256,
      },
      {
        collection: 'attachments',
        key: 9,
        name: 'صورة الفريق #1.jpg',
        path: 'files/attachments/0002-صورة الفريق #1.jpg',
        bytes: 913_022,
        sha256,
      },
    ],
    missingFiles: [{ collection: 'attachments', key: 12, name: 'old-sketch.png' }],
  },
  samples: new Map<string, Record<string, unknown>[]>([
    [
      'data/users.json',
      [
        {
          id: 42,
          email: 'noor@example.org',
          display_name: 'Noor Haddad · نور حداد',
          language: 'ar',
          created_at: '2023-03-04T08:12:55+00:00',
          settings: { theme: 'dark', digest: ['weekly'] },
        },
      ],
    ],
    [
      'data/messages.json',
      [
        {
          id: 1,
          room: 'Launch',
          body: Buffer.from('6b86b273ff34fce1'.repeat(9), 'hex').toString('base64'),
          sent_at: '2024-01-01T00:00:37+00:00',
          note: null,
        },
        {
          id: 2,
          room: 'מחקר',
          body: Buffer.from('d4735e3a265e16ee'.repeat(7), 'hex').toString('base64'),
          sent_at: '2024-01-01T00:01:14+00:00',
          note: 'مرحبا، هل يمكننا الحديث غدًا عن الخطة؟',
        },
        {
          id: 3,
          room: '設計レビュー',
          body: Buffer.from('4e07408562bedb8b'.repeat(5), 'hex').toString('base64'),
          sent_at: '2024-01-01T00:01:51+00:00',
          note: `<script>alert('no')</script> ${'a long note '.repeat(60)}`,
        },
      ],
    ],
    [
      'data/invoices.json',
      [
        { number: '2024-0017', amount: '1290.00', currency: 'EUR', paid: true },
        { number: '2024-0018', amount: '90071992547409919.55', currency: 'JPY', paid: false },
        { number: '2024-0019', amount: '', currency: 'EUR', paid: true },
      ],
    ],
  ]),
});
