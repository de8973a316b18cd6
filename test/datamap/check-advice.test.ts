import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { situationOf } from './invented-erasure.js';
import { type Invention, Inventions, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const people = `create table h.person (${PERSON});
  insert into h.person values (1, 'a@x.example', 'ada', 3), (2, 'b@x.example', 'bob', 5);`;

describe('the advice to let a key go with what it refers to', () => {
  const visits = (columns: string, primary: string): Invention => ({
    sql: `${people}
      create table h.patient (practice int, no int, person int, primary key (practice, no));
      create table h.visit (${columns}, doctor int, primary key (${primary}),
        constraint of_patient foreign key (practice, patient) references h.patient);
      insert into h.patient values (1, 1, 1); insert into h.visit values (1, 1, 1, 2)`,
    more: {
      patients: collection('patient', 'practice no person', { subject: { person: 'person' } }),
      visits: collection('visit', 'practice no patient doctor', { subject: { person: 'doctor' } }),
    },
  });
  const advised = async (invention: Invention) => {
    const [found] = await inventions.told(invention);
    expect(found).toMatch(/^error erasure\.foreign_key h\.visit\.practice, patient: /);
    return found?.match(/make of_patient (.*?), or, if/)?.[1];
  };
  const columns = 'practice int not null, no int, patient int not null';

  test('names only columns outside the primary key, and Postgres and the check take it', async () => {
    const invention = visits(columns, 'practice, no');
    expect(await advised(invention)).toBe(
      'ON DELETE SET NULL (patient), as Postgres knows since 15 (after DROP NOT NULL of patient)',
    );
    await inventions.sql(`alter table h.visit alter patient drop not null;
      alter table h.visit drop constraint of_patient, add constraint of_patient
        foreign key (practice, patient) references h.patient on delete set null (patient)`);
    expect(await inventions.again(invention)).toEqual([]);
  });

  test('names none where all of them can be null', async () => {
    expect(await advised(visits('practice int, no int, patient int', 'no'))).toBe('ON DELETE SET NULL');
  });

  test('is not given where the key is all in the primary key', async () => {
    const [found] = await inventions.told(visits(columns, 'practice, patient, no'));
    expect(found).toMatch(/^error erasure\.foreign_key h\.visit\.practice, patient: .*give it a path/);
    expect(found).not.toContain('SET NULL');
  });
});

describe('a tombstone that a row which stays holds on to', () => {
  const pinned = (posts: Record<string, unknown>, rule: Record<string, unknown>): Invention => ({
    sql: `${people}
      create table h.comment (id int primary key, author int, body text);
      create table h.post (id int primary key, author int, body text, pinned int constraint pins references h.comment);`,
    more: {
      comments: collection('comment', 'id author body', { subject: { person: 'author' }, erasure: rule }),
      posts: collection('post', 'id author body pinned', { subject: { person: 'author' }, ...posts }),
    },
  });
  const clear = { erasure: { rule: 'clear', columns: ['author', 'body'] } };
  const tombstone = { rule: 'tombstone', clear: ['author', 'body'] };

  test('waits, which is a warning', async () => {
    expect(await inventions.told(pinned(clear, tombstone))).toEqual([
      expect.stringMatching(
        /^warning erasure\.sweep_waits h\.post\.pinned: pins refers to h\.comment.* may come to hang/,
      ),
    ]);
    const held = pinned(clear, tombstone);
    held.sql += `insert into h.comment values (1, 1, 'c'); insert into h.post values (1, 1, 'p', 1)`;
    expect(await inventions.told(held)).toEqual([
      expect.stringMatching(
        /^warning erasure\.sweep_waits h\.post\.pinned: .* do not go with that person hang/,
      ),
    ]);
    // What is deleted at once is stopped.
    expect(await inventions.told(pinned(clear, { rule: 'delete' }))).toEqual([
      expect.stringMatching(/^error erasure\.foreign_key h\.post\.pinned: .*would stop the delete/),
    ]);
  });

  test('is nothing to speak of where that row goes or lets go', async () => {
    expect(await inventions.told(pinned({}, tombstone))).toEqual([]);
    const letsGo = { erasure: { rule: 'clear', columns: ['author', 'body', 'pinned'] } };
    expect(await inventions.told(pinned(letsGo, tombstone))).toEqual([]);
  });
});

describe('rows that are deleted and lead to two people', () => {
  const documents = (rows: string, more: Record<string, unknown> = {}): Invention => ({
    sql: `${people} create table h.document (id int primary key, patient int, uploader int, mail text);
      ${rows === '' ? '' : `insert into h.document values ${rows}`}`,
    more: {
      documents: collection('document', 'id patient uploader mail', {
        subject: { person: ['patient', 'uploader', { column: 'mail', as: 'mail' }] },
        ...more,
      }),
    },
  });
  const warned = [
    expect.stringMatching(/^warning erasure\.several_people h\.document: documents: There are rows/),
  ];

  test('are warned of, and do go with the first of them', async () => {
    expect(await inventions.told(documents(`(1, 1, 2, null)`))).toEqual(warned);
    const situation = await situationOf(inventions, documents(`(1, 1, 2, null), (2, 1, 1, null)`));
    await situation.erase(situation.job([await situation.person('person', '2')]));
    expect((await situation.rows('h')).get('h.document')).toEqual(new Set(['(2,1,1,)']));
  });

  test('are nothing to speak of where all of it is one person’s, or while there is none', async () => {
    expect(await inventions.told(documents(`(1, 1, 1, ' A@X.example'), (2, 2, null, null)`))).toEqual([]);
    expect(await inventions.told(documents(''))).toEqual([]);
  });

  test('are told of before there is one where the map itself says that one of them is another person', async () => {
    const columns = {
      id: { category: 'reference' },
      patient: { category: 'identity' },
      uploader: { category: 'identity', party: 'other', of: 'person' },
      mail: { category: 'contact' },
    };
    expect(await inventions.told(documents('', { columns }))).toEqual([
      expect.stringMatching(/^warning erasure\.several_people h\.document: .*uploader is `party: other`/),
    ]);
    const onlyNamed = { columns, subject: { person: 'patient' } };
    expect(await inventions.told(documents(`(1, 1, 2, null)`, onlyNamed))).toEqual([]);
  });

  test('stay until the last of them goes where the map says that they are shared', async () => {
    const shared = { shared: 'keep-if-others' };
    expect(await inventions.told(documents(`(1, 1, 2, null)`, shared))).toEqual([]);
    const situation = await situationOf(inventions, documents(`(1, 1, 2, null)`, shared));
    await situation.erase(situation.job([await situation.person('person', '2')]));
    expect((await situation.rows('h')).get('h.document')).toEqual(new Set(['(1,1,2,)']));
  });

  test('are seen over all collections of their table', async () => {
    const { sql, more } = documents(`(1, 1, 2, null)`, { subject: { person: 'patient' } });
    const uploads = collection('document', 'id patient uploader mail', {
      subject: { person: 'uploader' },
      erasure: { rule: 'clear', columns: ['uploader'] },
    });
    expect(await inventions.told({ sql, more: { ...more, uploads } })).toEqual(warned);
  });
});
