import { demoPeople, formerMember, workspaceIds } from './people.js';
import { moment, opening } from './calendar.js';
import { at, type Dice } from './random.js';
import type { CustomerRow, InvitationRow, MembershipRow, UserRow, WorkroomRow } from './rows.js';
import { edgeTexts, roomTitles, type Language } from './words.js';

/** A room and who talks in it. */
export interface Room {
  row: WorkroomRow;
  language: Language;
  /** Ids of users, the busiest first. */
  members: string[];
  customer: string | null;
}

interface Cast {
  users: readonly UserRow[];
  memberships: readonly MembershipRow[];
  customers: readonly CustomerRow[];
}

const { acme, borealis, cedar } = workspaceIds;
const languages: Record<string, readonly Language[]> = {
  [acme]: ['en', 'de', 'en', 'ar', 'en', 'pt'],
  [borealis]: ['ja', 'en', 'ja', 'de'],
  [cedar]: ['ar', 'he', 'en'],
};

/** Rooms are small groups of one workspace; in most of them a customer writes too. */
export function makeRooms(dice: Dice, count: number, cast: Cast): Room[] {
  const colleagues = Map.groupBy(cast.memberships, ({ workspace_id }) => workspace_id);
  const customers = Map.groupBy(cast.customers, ({ workspace_id }) => workspace_id);
  const turns = new Map<string, number>();
  return Array.from({ length: count }, (_, index) => {
    const own = dice.fork(index);
    const workspace = at([acme, acme, borealis, acme, borealis, cedar], index % 6);
    const writers = (colleagues.get(workspace) ?? []).filter(({ role }) => role !== 'viewer');
    const members = own.sample(writers, own.between(3, 9)).map(({ user_id }) => user_id);
    members.unshift(...regulars(workspace, index).filter((id) => !members.includes(id)));
    const guests = index % 3 !== 1 ? (customers.get(workspace) ?? []) : [];
    // Customers of a workspace take turns, so that each of them comes to a room.
    const turn = turns.get(workspace) ?? 0;
    if (guests.length > 0) turns.set(workspace, turn + 1);
    const language = own.pick(languagesOf(workspace));
    return {
      row: makeRoom(own, index, workspace, language, at(members, own.below(members.length))),
      language,
      members,
      customer: guests.length > 0 ? at(guests, turn % guests.length).id : null,
    };
  });
}

/** The people one can sign in as have something to find in their package. */
function regulars(workspace: string, index: number): string[] {
  if (workspace === borealis) return index % 2 === 0 ? [demoPeople.neighbour.userId] : [];
  if (workspace === cedar) return [];
  const regular = [at([demoPeople.owner, demoPeople.admin, demoPeople.member], index % 3).userId];
  if (index % 5 === 1) regular.push(demoPeople.member.userId);
  // A viewer reads; what they wrote, they wrote before they became one.
  if (index % 60 === 3) regular.push(demoPeople.viewer.userId);
  if (index % 12 === 0) regular.push(formerMember.userId);
  return [...new Set(regular)];
}

const languagesOf = (workspace: string): readonly Language[] => languages[workspace] ?? ['en'];

function makeRoom(
  dice: Dice,
  index: number,
  workspace: string,
  language: Language,
  owner: string,
): WorkroomRow {
  return {
    id: dice.uuid(),
    workspace_id: workspace,
    // A room outlives the person who opened it.
    owner_id: index % 37 === 11 ? null : owner,
    title: `${dice.pick(roomTitles[language])} ${index + 1}`,
    topic: index % 3 === 1 ? null : at(edgeTexts, index % edgeTexts.length),
    labels: dice.sample(['legal', 'R&D', 'préparation', '重要', 'a,b', '"q"'], dice.below(4)),
    created_at: moment(opening, 100 + (index % 80)),
    archived_at: index % 29 === 28 ? moment(opening, 700 + (index % 80)) : null,
  };
}

/** Every fourth room was opened by inviting somebody: a colleague by account, or anybody by address. */
export function makeInvitations(
  dice: Dice,
  rooms: readonly Room[],
  users: readonly UserRow[],
): InvitationRow[] {
  const byId = new Map(users.map((user) => [user.id, user]));
  return rooms
    .filter((_, index) => index % 4 === 0)
    .map(({ row, members }, index) => {
      const invited = index % 3 === 2 ? undefined : byId.get(at(members, members.length - 1));
      return {
        id: String(index + 1),
        workroom_id: row.id,
        invited_by: at(members, 0),
        invited_email: invited?.email ?? `guest${index}@elsewhere.example`,
        invited_user: invited?.id ?? null,
        greeting: index % 2 === 0 ? at(edgeTexts, (index * 7) % edgeTexts.length) : null,
        created_at: row.created_at,
        accepted_at: dice.chance(0.6) ? moment(Date.parse(row.created_at), 1) : null,
      };
    });
}
