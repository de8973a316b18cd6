import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type SubjectRef, type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, type InputProblem } from '../errors.js';
import { invalidInput } from '../http/input.js';
import { type EventDisclosure, writeEvent } from './event-row.js';
import { type NewEvent } from './events.schema.js';
import { HostKinds } from './host-kinds.js';
import { Pseudonyms } from './pseudonyms.js';
import { partPersonal } from './pushed-event.js';

/** Milliseconds that a host's clock may be ahead of ours. */
const AHEAD = 5 * 60_000;

type Named = NewEvent['targets'][number];

/** Takes events that a host app pushes: all of a call or none, each marked with who pushed it. */
@Injectable()
export class EventIntake {
  private readonly pseudonyms = new Pseudonyms();

  constructor(
    private readonly database: Database,
    private readonly kinds: HostKinds,
    private readonly clock: Clock,
  ) {}

  /** @returns the ids, in order. @throws DomainError `input.invalid`, `event.occurred_in_future`, `event.occurred_too_early` */
  async push(tenancy: Tenancy, events: readonly NewEvent[]): Promise<string[]> {
    const single = events.length === 1;
    const problems = events.flatMap((event, nth) => this.problemsOf(event, single ? '' : `${nth}.`));
    if (problems.length > 0) throw invalidInput(problems);
    for (const { occurredAt } of events) this.checkMoment(occurredAt);
    return this.database.within(tenancy, async (tx) => {
      const people = events.flatMap((event) => this.peopleOf(event));
      const pseudonym = await this.pseudonyms.ofAll(tx, people);
      const ids: string[] = [];
      for (const event of events) ids.push(await this.write(tx, event, pseudonym));
      return ids;
    });
  }

  private write(tx: UnitOfWork, event: NewEvent, pseudonym: (person: SubjectRef) => string): Promise<string> {
    const { context, metadata, personal } = partPersonal(event);
    const as = ({ type, ...named }: Named) => {
      const person = this.personIn({ type, ...named });
      return { type, id: person ? pseudonym(person) : named.id, person };
    };
    const actor = as(event.actor);
    const targets = event.targets.map(as);
    const subjects = event.subjects.map((subject) => pseudonym(this.personOf(subject)));
    const names: EventDisclosure[] = [
      { path: 'actor.name', value: event.actor.name, ...(actor.person && { subject: actor.id }) },
      ...targets.map(({ id, person }, nth) => ({
        path: `targets.${nth}.name`,
        value: event.targets[nth]?.name,
        ...(person && { subject: id }),
      })),
      ...subjects.map((subject, nth) => ({
        path: `subjects.${subject}.name`,
        value: event.subjects[nth]?.name,
        subject,
      })),
    ].filter(({ value }) => value !== undefined);
    const byActor = personal.map((text) => ({ ...text, ...(actor.person && { subject: actor.id }) }));
    return writeEvent(
      tx,
      {
        occurredAt: event.occurredAt === undefined ? undefined : new Date(event.occurredAt),
        action: event.action,
        outcome: event.outcome,
        actor: { type: actor.type, id: actor.id },
        targets: targets.map(({ type, id }) => ({ type, id })),
        subjects: [...[actor, ...targets].filter(({ person }) => person).map(({ id }) => id), ...subjects],
        context: { ...context, via: via(tx.tenancy) },
        metadata,
      },
      unique([...names, ...byActor]),
    );
  }

  private peopleOf({ actor, targets, subjects }: NewEvent): SubjectRef[] {
    const named = [actor, ...targets].flatMap((one) => this.personIn(one) ?? []);
    return [...named, ...subjects.map((subject) => this.personOf(subject))];
  }

  /** `{type: 'person'}`, or a kind of the data map as the type: both are people. */
  private personIn({ type, kind, id }: Named): SubjectRef | undefined {
    if (type === 'person') return this.personOf({ kind, id });
    return this.kinds.all.includes(type) ? { kind: type, key: id } : undefined;
  }

  private personOf({ kind, id }: Pick<Named, 'kind' | 'id'>): SubjectRef {
    return { kind: kind ?? this.kinds.signIn ?? '', key: id };
  }

  private problemsOf({ actor, targets, subjects, context }: NewEvent, at: string): InputProblem[] {
    const problems: InputProblem[] = [];
    const tell = (path: string, message: string) =>
      problems.push({ path: at + path, code: 'input.invalid', message });
    const checkKind = (person: SubjectRef, path: string) => {
      if (!this.kinds.all.includes(person.kind))
        tell(`${path}.kind`, 'The data map has no such kind of people.');
    };
    for (const [nth, one] of [actor, ...targets].entries()) {
      const path = nth === 0 ? 'actor' : `targets.${nth - 1}`;
      const person = this.personIn(one);
      if (person) checkKind(person, path);
      else if (!/^[A-Za-z0-9_.:+=/-]{1,200}$/.test(one.id))
        tell(`${path}.id`, 'An id of something that is no person must be a plain code, without @ or spaces.');
    }
    if (actor.type === 'staff') tell('actor.type', 'Only Habeas itself tells what its staff did.');
    for (const [nth, subject] of subjects.entries()) checkKind(this.personOf(subject), `subjects.${nth}`);
    if (context && Object.hasOwn(context, 'via')) tell('context.via', 'Habeas writes this itself.');
    return problems;
  }

  private checkMoment(occurredAt: string | undefined): void {
    if (occurredAt === undefined) return;
    const moment = Date.parse(occurredAt);
    if (moment > this.clock.now().getTime() + AHEAD)
      throw new DomainError('event.occurred_in_future', 'occurredAt lies in the future. Check the clock.');
    if (!(moment >= 0)) throw new DomainError('event.occurred_too_early', 'occurredAt lies before 1970.');
  }
}

/** Who pushed it, so that nothing a host app says can pass for what Habeas did. */
const via = ({ actor }: Tenancy): string => `${actor.type}:${'id' in actor ? actor.id : 'unknown'}`;

/** A subject may be named twice; a path may not. */
const unique = (disclosures: readonly EventDisclosure[]): EventDisclosure[] => [
  ...new Map(disclosures.map((disclosure) => [disclosure.path, disclosure] as const)).values(),
];
