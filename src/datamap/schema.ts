/**
 * The data map as an author writes it (YAML). Pure shapes without transforms, so that the same schema
 * validates and is published for editors (docs/datamap.schema.json). What depends on other parts of the
 * map (an identifier that exists, a kind that is declared) is checked in parse.ts, what depends on the
 * database in check.ts.
 *
 * Names are exact: `User` means the table "User", never user. `schema.table` is qualified; a name that
 * contains a dot is written in double quotes inside the string ('"odd.name"').
 *
 * Every `where` is SQL by the trusted author of this file. In it `t` is the row of the table beside which
 * it stands: the collection's row in a collection or a path, the joined row in a join.
 */
import { z } from 'zod';

const text = z.string().trim().min(1).max(4000);
const word = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'lower-case letters, digits, - and _, starting with a letter');
const column = z.string().min(1).max(63).describe('A column, spelled exactly as in the database.');
const columns = z.union([column, z.array(column).min(1).max(32)]);
const table = z
  .string()
  .min(1)
  .max(140)
  .describe('A table or view, spelled exactly; `schema.table` outside the default schema.');
const where = text.describe('SQL condition; `t` is the row of the table beside which it stands.');
const duration = z
  .string()
  .regex(
    /^P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$/,
    'an ISO 8601 duration such as P30D',
  );

export const normalisers = ['exact', 'mail', 'phone'] as const;

const identifier = z.strictObject({
  column: column.optional().describe('Absent only for kinds without a table.'),
  normalise: z.enum(normalisers),
});

const subject = z.strictObject({
  table: table
    .optional()
    .describe('Absent: people known only by an identifier found in collections; that identifier is the key.'),
  key: columns.optional(),
  where: where.optional().describe('Which rows of the table are this kind of person; `t` is the row.'),
  identifiers: z.record(word, identifier).default({}),
  display: columns.optional(),
  language: column.optional(),
  jurisdiction: column.optional(),
  signIn: z
    .strictObject({ claim: text.default('sub'), column })
    .optional()
    .describe('Only for the kind that signs in: which JWT claim is which column.'),
});

const join = z.strictObject({
  table,
  on: z
    .record(z.string().min(1), column)
    .refine((on) => Object.keys(on).length > 0, 'name at least one column')
    .describe('{column of the table before: column of this table}'),
  where: where.optional(),
});

const path = z
  .strictObject({
    column: column.optional().describe('In the last joined table, or in the collection’s own.'),
    columns: z
      .array(column)
      .min(2)
      .max(32)
      .optional()
      .describe('For composite keys, in the order of the key.'),
    join: z.array(join).min(1).max(8).optional(),
    json: z
      .array(z.string().min(1))
      .min(1)
      .max(16)
      .optional()
      .describe('Way into a json or jsonb column; `*` means every element of an array.'),
    array: z.boolean().optional().describe('The column is an array of such values.'),
    as: word.optional().describe('The column holds this identifier; absent: it holds the key.'),
    where: where.optional(),
  })
  .refine((p) => (p.column === undefined) !== (p.columns === undefined), 'give either `column` or `columns`')
  .refine((p) => p.json === undefined || p.array === undefined, 'give either `json` or `array`')
  .refine(
    (p) => p.columns === undefined || (p.json === undefined && p.array === undefined),
    '`columns` takes neither `json` nor `array`',
  );

const paths = z.union([
  column,
  path,
  z
    .array(z.union([column, path]))
    .min(1)
    .max(32),
]);

const memberships = z.strictObject({
  table,
  workspace: column,
  subject: z
    .record(word, columns)
    .refine((s) => Object.keys(s).length > 0, 'name at least one kind')
    .describe('{kind: column that holds its key}'),
  role: column.optional().describe('Absent: everybody here is a member.'),
  roles: z
    .strictObject({
      owner: z.array(text).optional(),
      admin: z.array(text).optional(),
      member: z.array(text).optional(),
      viewer: z.array(text).optional(),
    })
    .optional()
    .describe('Which of the host’s roles is which of ours; absent: they have the same names.'),
  where: where.optional().describe('Which memberships count now, for example "t.left_at is null".'),
});

const workspaces = z.union([
  z.literal('none'),
  z.strictObject({
    table,
    key: column,
    name: column.optional(),
    where: where.optional(),
    owner: z
      .record(word, columns)
      .optional()
      .describe('{kind: column of the workspace table that holds its owner’s key}'),
    memberships: z.union([memberships, z.array(memberships).min(1)]).optional(),
    peopleLeft: z
      .enum(['erase', 'keep'])
      .optional()
      .describe(
        'Members who belong to no workspace any more once theirs is deleted: their account is erased too, or kept (absent).',
      ),
  }),
]);

const profile = z.strictObject({
  name: text,
  contact: text.optional(),
  dpo: text.optional(),
  authority: text.optional(),
  establishment: text.optional().describe('Country, ISO 3166-1 alpha-2.'),
});

const classification = z.strictObject({
  category: word.describe('identity, contact, content, reference, financial, technical, credential, …'),
  title: text.optional().describe('What a person reads instead of the column’s name.'),
  export: z.boolean().optional().describe('false: left out of packages.'),
  secret: z.boolean().optional().describe('Never read, never exported, destroyed by erasure.'),
  sealed: z.boolean().optional().describe('Ciphertext: exported as stored and counted as not intelligible.'),
  party: z.enum(['subject', 'other']).optional().describe('other: another person, masked in packages.'),
  of: word.optional().describe('With `party: other`: the kind of person.'),
  as: word.optional().describe('With `of`: the identifier the column holds; absent: the key.'),
});

export const setValue = z.union([
  z.null(),
  z.enum(['pseudonym-mail', 'pseudonym-uuid']).describe('deleted-<uuid>@deleted.invalid, or that uuid.'),
  z.string().max(400),
  z.number(),
  z.boolean(),
]);
const sets = z.record(column, setValue).refine((s) => Object.keys(s).length > 0, 'set at least one column');

const erasure = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('delete') }),
  z.strictObject({ rule: z.literal('pseudonymise'), set: sets }),
  z.strictObject({ rule: z.literal('clear'), columns: z.array(column).min(1) }),
  z.strictObject({
    rule: z.literal('tombstone'),
    clear: z
      .array(column)
      .default([])
      .describe('Set to null at once; the row goes after the backup horizon.'),
    set: sets.optional(),
  }),
  z.strictObject({
    rule: z.literal('keep'),
    ground: text.describe('The law or claim that demands it.'),
    until: text.describe('When it ends: a date, a duration or a sentence.'),
  }),
]);

const retention = z.union([
  text,
  z
    .strictObject({
      keep: duration
        .nullable()
        .optional()
        .describe('How long, unless a workspace sets another time; null or absent: until deleted.'),
      after: column
        .optional()
        .describe(
          'The time column that `keep` counts from. With it, old rows are swept; a null is not over.',
        ),
      from: z
        .literal('year-end')
        .optional()
        .describe('Counts from the end of the calendar year (UTC) in which `after` lies.'),
      atLeast: duration.optional().describe('What a law demands: nobody may set less.'),
      ground: text.optional().describe('Of `atLeast`: the law.'),
      adjustable: z.boolean().optional().describe('false: workspaces may not set another time.'),
      note: text.optional(),
    })
    .refine(
      (r) => r.keep !== undefined || r.after !== undefined,
      'give `keep`, or `after`, or say it in words',
    ),
]);

const collection = z.strictObject({
  table,
  title: text.optional().describe('What people read of their own rows.'),
  workspaceTitle: text
    .optional()
    .describe('What owners read of the whole workspace’s rows. Default: the collection’s name, in words.'),
  where: where.optional().describe('Which rows of the table are this collection.'),
  key: z.array(column).min(1).max(32).optional().describe('Default: the primary key. Views need it.'),
  subject: z
    .union([z.literal('none'), z.record(word, paths)])
    .describe('{kind: paths, any of which may hit}; `none` for what is only a workspace’s.'),
  workspace: z.union([z.literal('none'), paths]).describe('`none` for what belongs to the account.'),
  controller: z.enum(['host', 'workspace']),
  purpose: text,
  legalBasis: text,
  recipients: z.array(text).default([]),
  retention,
  columns: z.record(column, classification),
  files: z
    .strictObject({
      bucket: z.union([column, z.strictObject({ constant: text })]),
      path: column,
      name: column.optional(),
    })
    .optional(),
  shared: z
    .literal('keep-if-others')
    .optional()
    .describe('With `delete`: a row of several people stays until the last of them goes.'),
  erasure,
});

const exemption = z.union([
  z.strictObject({ table: table.describe('May hold * and ?'), reason: text }),
  z.strictObject({
    column: z.string().min(3).describe('table.column or schema.table.column; may hold * and ?'),
    reason: text,
  }),
]);

const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,59}$/, 'upper-case letters, digits and _, starting with a letter')
  .describe('NAME: read from the environment variable RECIPIENT_NAME_SECRET.');
const address = text.describe('Starts with http:// or https:// and a host; placeholders stand after that.');
const template = text.describe(
  'May hold {{subject.<identifier>}}, {{subject.key}}, {{subject.kind}}, {{erasure.id}}, {{request.id}}, {{task.id}}, ' +
    '{{workspace.id}}, {{workspace.key}} and {{secret.NAME}}.',
);
const httpStatuses = z.array(z.int().min(200).max(599)).min(1);
const headers = z.record(z.string().regex(/^[A-Za-z0-9-]{1,60}$/, 'is not the name of a header'), template);
const erasureScope = z.enum(['account', 'person', 'workspace']);

const verify = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  url: address,
  headers: headers.default({}),
  expect: z.strictObject({ status: httpStatuses }).default({ status: [404, 410] }),
  within: duration.default('P14D').describe('How long it may take after the call.'),
});

const recipientWords = {
  title: text.describe('What people read: in the mail, in the certificate, on the desk.'),
  subjects: z.array(word).min(1).optional().describe('Kinds of people it knows; absent: every kind.'),
  collections: z
    .array(word)
    .min(1)
    .optional()
    .describe(
      'It got data of these, and is told where rows of them went; absent: told once for the whole request.',
    ),
  scope: z
    .array(erasureScope)
    .min(1)
    .optional()
    .describe('Erasures it is told of; default: account, and with `collections` also person.'),
  identifiers: z
    .array(word)
    .min(1)
    .default(['key'])
    .describe('By which identifiers of a person it knows them; `key` is the key.'),
  when: z
    .enum(['start', 'end'])
    .default('end')
    .describe('start: as soon as nothing can be undone any more; end: when the rows have gone.'),
};

const recipient = z.discriminatedUnion('kind', [
  z.strictObject({
    ...recipientWords,
    kind: z.literal('webhook').describe('Standard Webhooks: signed, retried.'),
    url: address,
    secret: secretName,
    verify: verify.optional(),
  }),
  z.strictObject({
    ...recipientWords,
    kind: z.literal('http').describe('A call as the recipient’s own API wants it, once for each person.'),
    call: z.strictObject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
      url: address,
      headers: headers.default({}),
      body: z.json().optional().describe('Sent as JSON; its texts may hold placeholders.'),
      expect: z
        .strictObject({ status: httpStatuses })
        .optional()
        .describe('Default: any 2xx; of DELETE 404 and 410 as well.'),
    }),
    verify: verify.optional(),
  }),
  z.strictObject({
    ...recipientWords,
    kind: z.literal('manual').describe('Somebody does it, and says so.'),
    within: duration.default('P14D'),
    instructions: text.optional(),
  }),
]);

export const dataMapSchema = z.strictObject({
  version: z.literal(1),
  schema: z.string().min(1).max(63).default('public').describe('Of table names without a schema.'),
  subjects: z.record(word, subject).refine((s) => Object.keys(s).length > 0, 'declare at least one kind'),
  workspaces,
  controller: profile,
  collections: z.record(word, collection),
  recipients: z
    .record(word, recipient)
    .default({})
    .describe('Who was handed the data and is told of its erasure (GDPR Art. 19).'),
  exempt: z.array(exemption).default([]),
});

/** What the author wrote, defaults filled in. */
export type DataMapSource = z.output<typeof dataMapSchema>;
export type SubjectSource = z.output<typeof subject>;
export type CollectionSource = z.output<typeof collection>;
export type PathSource = z.output<typeof paths>;
export type Classification = z.output<typeof classification>;
export type Erasure = z.output<typeof erasure>;
export type SetValue = z.output<typeof setValue>;
export type Retention = z.output<typeof retention>;
export type ControllerProfile = z.output<typeof profile>;
export type MembershipsSource = z.output<typeof memberships>;
export type RecipientSource = z.output<typeof recipient>;
export type ErasureScope = z.output<typeof erasureScope>;
export type Normaliser = (typeof normalisers)[number];

/** The JSON Schema of the YAML file, for editors (draft 2020-12). */
export function jsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(dataMapSchema, { target: 'draft-2020-12', io: 'input' }),
    title: 'Habeas data map',
  };
}
