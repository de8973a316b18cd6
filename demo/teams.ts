import { demoPeople, formerMember, workspaceIds, type DemoPerson } from './people.js';
import { lastMessage, moment, opening } from './calendar.js';
import { at, type Dice } from './random.js';
import type { CustomerRow, MembershipRow, Role, UserRow, WorkspaceRow } from './rows.js';
import { seal } from './sealing.js';
import { cultures, edgeTexts, type Language } from './words.js';

const { acme, borealis, cedar } = workspaceIds;
const people = demoPeople;

export const workspaces: readonly WorkspaceRow[] = [
  {
    id: acme,
    name: 'Acme',
    slug: 'acme',
    plan_code: 'business',
    settings: { theme: 'dark', seats: 50, quietHours: { from: '20:00', to: '07:00' } },
    created_at: moment(opening),
  },
  {
    id: borealis,
    name: 'Borealis 北極光',
    slug: 'borealis',
    plan_code: 'team',
    settings: { theme: null, holidays: ['2026-01-01', '2026-05-05'] },
    created_at: moment(opening, 40),
  },
  {
    id: cedar,
    name: 'Cedar & Sons "أرز"',
    slug: 'cedar',
    plan_code: 'free',
    settings: {},
    created_at: moment(opening, 90.5),
  },
];

const fixedMemberships: readonly [DemoPerson, string, Role][] = [
  [people.owner, acme, 'owner'],
  [people.admin, acme, 'admin'],
  [people.admin, borealis, 'member'],
  [people.member, acme, 'member'],
  [people.viewer, acme, 'viewer'],
  [people.neighbour, borealis, 'owner'],
  [people.auditor, cedar, 'viewer'],
];

const languageAndCountry: readonly [DemoPerson, Language | null, string | null][] = [
  [people.owner, 'en', 'US'],
  [people.admin, 'de', 'DE'],
  [people.member, 'en', 'DE'],
  [people.viewer, null, null],
  [people.neighbour, 'ja', 'JP'],
  [people.auditor, 'he', 'IL'],
  [formerMember, 'en', 'GB'],
];

/** The named people first, then as many made-up ones as `count` leaves room for. */
export function makeUsers(dice: Dice, count: number): UserRow[] {
  const named = languageAndCountry.map(([person, language, country], index) =>
    makeUser(dice.fork(index), index, {
      id: person.userId,
      email: person.mail,
      display_name: person.displayName,
      language,
      country,
    }),
  );
  const madeUp = Array.from({ length: Math.max(0, count - named.length) }, (_, offset) => {
    const index = named.length + offset;
    const own = dice.fork(index);
    const culture = at(cultures, index % cultures.length);
    const given = own.below(culture.given.length);
    const address = `${at(culture.latin, given)}.${index}@${own.pick(['acme', 'borealis', 'cedar', 'mail'])}.example`;
    return makeUser(own, index, {
      id: own.uuid(),
      // Some people type their address with capitals, and some products store what was typed.
      email: index % 7 === 3 ? address.replace(/^./, (first) => first.toUpperCase()) : address,
      display_name: index === 20 ? '' : `${at(culture.given, given)} ${own.pick(culture.family)}`,
      language: index % 11 === 5 ? null : culture.language,
      country: own.pick(culture.countries),
    });
  });
  return [...named, ...madeUp];
}

type Known = Pick<UserRow, 'id' | 'email' | 'display_name' | 'language' | 'country'>;

function makeUser(dice: Dice, index: number, known: Known): UserRow {
  const key =
    index % 3 === 2 ? seal(`users.byok_key:${known.id}`, `sk-demo-${dice.bytes(24).toString('hex')}`) : null;
  return {
    ...known,
    phone: dice.chance(0.5) ? `+49 30 ${dice.between(1_000_000, 9_999_999)}` : null,
    // People who sign in through somebody else have no password here.
    password_hash: index % 5 === 4 ? null : passwordHash(dice),
    byok_key_sealed: key?.sealed ?? null,
    byok_key_nonce: key?.nonce ?? null,
    settings: at(userSettings, index % userSettings.length),
    tags: at(userTags, index % userTags.length),
    storage_bytes: at(storageBytes, index % storageBytes.length),
    last_seen_at: index % 6 === 5 ? null : moment(lastMessage, -dice.below(90)),
    created_at: moment(opening, index),
  };
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
const passwordHash = (dice: Dice): string =>
  `$argon2id$v=19$m=65536,t=3,p=4$${base64(dice.bytes(16))}$${base64(dice.bytes(32))}`;

/** A number as written: JSON that went through a JavaScript number would lose its last digits. */
const exactly = (digits: string): unknown => JSON.rawJSON(digits);

const userSettings: readonly unknown[] = [
  { theme: 'dark', notifications: { mail: true, push: false, digest: 'weekly' } },
  {},
  { 'a key with spaces': 1, 'a"quote': '\\', ключ: 'значение', '🙂': ['👩🏾‍💻'], __proto__x: null },
  { quota: exactly('12345678901234567890123'), ratio: exactly('0.10000000000000000555'), tiny: 1e-7 },
  { nested: { nested: { nested: { list: [[], [[]], { empty: {} }, null, true, ''] } } } },
  { shortcuts: ['ctrl+\\', "ctrl+'", 'tab\t'], note: 'line\nbreak \u2028 \u0001' },
];

const userTags: readonly string[][] = [
  [],
  ['beta'],
  ['needs "quotes"', 'comma, inside', '{braces}', 'back\\slash', ''],
  ['NULL', 'null'],
  ['日本語', 'عربي', 'עברית', '👨‍👩‍👧‍👦'],
];

const storageBytes: readonly string[] = [
  '0',
  '1048576',
  '9007199254740993', // 2^53 + 1
  '9223372036854775807', // the last bigint
  '-1',
];

/** Colleagues are spread over the workspaces, every ninth over two. The former member has no place. */
export function makeMemberships(dice: Dice, users: readonly UserRow[]): MembershipRow[] {
  const named = fixedMemberships.map(([person, workspace, role]) =>
    membership(dice, workspace, person.userId, role),
  );
  const homes = [acme, borealis, acme, cedar, borealis, acme, cedar];
  const seen = new Map<string, number>([[borealis, 2]]);
  const madeUp = users.slice(languageAndCountry.length).flatMap((user, index) => {
    const home = at(homes, index % homes.length);
    const before = seen.get(home) ?? 0;
    seen.set(home, before + 1);
    const own = [membership(dice, home, user.id, roleOf(home, before, dice))];
    if (index % 9 === 4) own.push(membership(dice, home === acme ? cedar : acme, user.id, 'member'));
    return own;
  });
  return [...named, ...madeUp];
}

/** Acme gets one owner beside the named one, Cedar two; Borealis keeps its only one. */
const furtherOwners: Record<string, number> = { [acme]: 1, [cedar]: 2 };

function roleOf(workspace: string, before: number, dice: Dice): Role {
  if (before < (furtherOwners[workspace] ?? 0)) return 'owner';
  return dice.pick(['admin', 'member', 'member', 'member', 'member', 'viewer']);
}

function membership(dice: Dice, workspace: string, user: string, role: Role): MembershipRow {
  const founders: Record<string, string> = {
    [acme]: people.owner.userId,
    [borealis]: people.neighbour.userId,
  };
  const inviter = founders[workspace] ?? null;
  return {
    workspace_id: workspace,
    user_id: user,
    role,
    invited_by: inviter === user ? null : inviter,
    joined_at: moment(opening, dice.between(91, 170)),
  };
}

/** Every customer wrote to one workspace; some of them are the same person twice, or a colleague elsewhere. */
export function makeCustomers(dice: Dice, count: number): CustomerRow[] {
  return Array.from({ length: count }, (_, index) => {
    const own = dice.fork(index);
    const culture = at(cultures, index % cultures.length);
    const given = own.below(culture.given.length);
    return {
      id: own.uuid(),
      workspace_id: at([acme, borealis, acme, cedar], index % 4),
      email: sharedAddress[index] ?? `${at(culture.latin, given)}${index}@customers.example`,
      name: index % 8 === 6 ? null : `${at(culture.given, given)} ${own.pick(culture.family)}`,
      phone: own.chance(0.4) ? `+81-3-${own.between(1000, 9999)}-${own.between(1000, 9999)}` : null,
      language: own.chance(0.7) ? culture.language : null,
      notes: index % 3 === 2 ? null : at(edgeTexts, index % edgeTexts.length),
      profile:
        index % 4 === 1 ? null : { source: own.pick(['form', 'mail', 'import']), orders: own.below(30) },
      created_at: moment(opening, 100 + index),
    };
  });
}

/** Addresses that are several subjects: a customer of two workspaces, and a member who is a customer too. */
const sharedAddress: Record<number, string> = {
  2: 'Two.Places@customers.example',
  5: 'two.places@customers.example',
  9: 'Mira.Haddad@Acme.example',
};
