import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { Sealing } from '../../keys/sealing.js';
import { type FilingDetails } from '../request.js';
import { Requests } from '../requests.js';

export interface Note {
  id: string;
  text: string;
  createdAt: string;
}

/** What staff write down for each other about a request. */
@Injectable()
export class Notes {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly requests: Requests,
  ) {}

  /** Staff's own memory; sealed, and gone with the request's other personal data. */
  add(tenancy: Tenancy, id: string, text: string): Promise<Note> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.find(tx, id);
      if (request.contactWipedAt) {
        throw new DomainError(
          'request.forgotten',
          'What this request knew of its person is gone; nothing is written down about them again.',
        );
      }
      const note = await this.write(tx, id, text);
      await this.requests.tell(tx, request, 'request.noted');
      return note;
    });
  }

  /** Writes a note in the caller's transaction, sealed; telling of it is the caller's. */
  async write(tx: UnitOfWork, id: string, text: string): Promise<Note> {
    const sealed = this.sealing.seal('request.note', text);
    const values = [tx.tenant, id, sealed, await actorId(tx), this.clock.now()];
    const note = await tx.one<{ id: string }>(insertNote, values);
    return { id: note?.id ?? '', text, createdAt: this.clock.now().toISOString() };
  }

  /** The notes, and what staff wrote down when they filed or saw a proof; a look at them is an event. */
  list(tenancy: Tenancy, id: string): Promise<{ items: Note[]; filing: FilingDetails }> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.find(tx, id);
      const rows = await tx.query<{ id: string; sealed: Buffer; createdAt: Date }>(selectNotes, [id]);
      await this.requests.tell(tx, request, 'request.viewed');
      const { detailsSealed } = request;
      return {
        filing: detailsSealed ? this.sealing.open<FilingDetails>('request.details', detailsSealed) : {},
        items: rows.map((row) => ({
          id: row.id,
          text: this.sealing.open<string>('request.note', row.sealed),
          createdAt: row.createdAt.toISOString(),
        })),
      };
    });
  }
}

const selectNotes = `
  select id, text_sealed as "sealed", created_at as "createdAt" from habeas.request_notes where request_id = $1 order by created_at`;

const insertNote = `
  insert into habeas.request_notes (tenant_id, request_id, text_sealed, created_by, created_at)
  values ($1, $2, $3, $4, $5) returning id`;
