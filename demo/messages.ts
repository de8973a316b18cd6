import { firstMessage, lastMessage, moment } from './calendar.js';
import { formerMember } from './people.js';
import { at, type Dice } from './random.js';
import type { Room } from './rooms.js';
import type { MessageRow } from './rows.js';
import { seal } from './sealing.js';
import { edgeTexts, longText, reactions, sentences } from './words.js';

/** 2^62 + 1: the identity column of schema.sql starts here. */
const firstId = 4_611_686_018_427_387_905n;

/** People talk in turns: so many messages in one room before another room is looked at. */
const turn = 6;

interface Envelope {
  room: Room;
  author: string | null;
  customer: string | null;
}

/**
 * What was written in the rooms, in order of time and id. Each message is worked out from its number alone,
 * so that a million of them need no memory.
 */
export class Conversation {
  constructor(
    private readonly dice: Dice,
    private readonly rooms: readonly Room[],
    readonly length: number,
  ) {}

  *[Symbol.iterator](): Generator<MessageRow> {
    for (let index = 0; index < this.length; index++) yield this.message(index);
  }

  id(index: number): string {
    return String(firstId + BigInt(index));
  }

  sentAt(index: number): string {
    const step = (lastMessage - firstMessage) / this.length;
    return moment(firstMessage + Math.floor(index * step + ((index * 7919) % 1000) * (step / 1000)));
  }

  /** Where the message lies and whose it is; neither author nor customer for a notice of the room itself. */
  envelope(index: number): Envelope {
    const room = this.dice.fork(`turn${Math.floor(index / turn)}`).pickSkewed(this.rooms);
    const own = this.dice.fork(index);
    if (own.chance(0.01)) return { room, author: null, customer: null };
    if (room.customer !== null && own.chance(0.25)) return { room, author: null, customer: room.customer };
    const author = own.pickSkewed(room.members);
    // The former member left when two fifths of the story were told.
    const gone = author === formerMember.userId && index > this.length * 0.4;
    return {
      room,
      author: gone ? (room.members.find((id) => id !== author) ?? null) : author,
      customer: null,
    };
  }

  message(index: number): MessageRow {
    const { room, author, customer } = this.envelope(index);
    const own = this.dice.fork(`body${index}`);
    const id = this.id(index);
    const body = seal(`messages.body:${id}`, this.body(index));
    return {
      id,
      workroom_id: room.row.id,
      workspace_id: room.row.workspace_id,
      author_id: author,
      customer_id: customer,
      body_sealed: body.sealed,
      body_nonce: body.nonce,
      mentioned: own.chance(0.08) ? own.sample(room.members, own.between(0, 2)) : null,
      client: own.chance(0.5)
        ? { app: own.pick(['web', 'ios', 'android']), version: '4.2.0', lang: room.language }
        : null,
      reply_to: index % turn > 0 && own.chance(0.3) ? this.id(index - own.between(1, index % turn)) : null,
      sent_at: this.sentAt(index),
      edited_at: own.chance(0.04) ? moment(Date.parse(this.sentAt(index)), 0.01) : null,
    };
  }

  /** The plain text, before Atelier sealed it. */
  body(index: number): string {
    const own = this.dice.fork(`text${index}`);
    if (index === longMessage) return longText;
    if (index % 211 === 17) return at(edgeTexts, Math.floor(index / 211) % edgeTexts.length);
    const { room } = this.envelope(index);
    const lines = Array.from({ length: own.between(1, 4) }, () => own.pick(sentences[room.language]));
    if (own.chance(0.2)) lines.push(own.pick(reactions));
    return lines.join(own.chance(0.15) ? '\n\n' : ' ');
  }
}

/** One message of every load that has at least so many is very long. */
const longMessage = 1234;
