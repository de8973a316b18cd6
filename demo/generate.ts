import { makeAttachments, storedObjects } from './files.js';
import { Conversation } from './messages.js';
import { featureFlags, makeIntegrations, makeInvoices, plans } from './paperwork.js';
import { Dice } from './random.js';
import { makeInvitations, makeRooms } from './rooms.js';
import type { MessageRow, StoredObject } from './rows.js';
import { makeCustomers, makeMemberships, makeUsers, workspaces } from './teams.js';

export interface AtelierSize {
  /** Another seed, another story; the people one can sign in as stay the same. */
  seed?: string;
  /** Multiplies users, customers, workrooms, messages and attachments. 1 is the demo; at least 0.2. */
  scale?: number;
  /** Messages alone, if not 30,000 times the scale. */
  messages?: number;
}

export type Atelier = ReturnType<typeof generateAtelier>;

/**
 * Everything that Atelier stores: the same options give the same bytes. Tables stand in an order in which
 * their foreign keys can be filled; messages are made as they are read, the rest is held in memory.
 */
export function generateAtelier({ seed = 'atelier', scale = 1, messages }: AtelierSize = {}) {
  const dice = new Dice(seed);
  const many = (count: number): number => Math.round(count * scale);
  const users = makeUsers(dice.fork('users'), many(60));
  const memberships = makeMemberships(dice.fork('memberships'), users);
  const customers = makeCustomers(dice.fork('customers'), many(40));
  const rooms = makeRooms(dice.fork('rooms'), many(300), { users, memberships, customers });
  const conversation = new Conversation(dice.fork('messages'), rooms, messages ?? many(30_000));
  const attachments = makeAttachments(dice.fork('attachments'), many(500), conversation);
  return {
    tables: {
      plans,
      feature_flags: featureFlags,
      workspaces,
      users,
      memberships,
      customers,
      workrooms: rooms.map(({ row }) => row),
      messages: conversation as Iterable<MessageRow>,
      attachments: attachments.map(({ row }) => row),
      workroom_invitations: makeInvitations(dice.fork('invitations'), rooms, users),
      integrations: makeIntegrations(dice.fork('integrations'), memberships),
      invoices: makeInvoices(dice.fork('invoices'), { workspaces, memberships, users }),
    },
    /** The files of the object store; fewer than attachments, because some were lost. */
    objects: storedObjects(attachments) satisfies StoredObject[],
    /** The plain text of the message with this number, as its author knew it. */
    plainText: (index: number): string => conversation.body(index),
  };
}
