/**
 * Whether something in the database may undo what a batch does, within the batch's own transaction: a trigger that sets
 * a value back or writes a deleted row anew, a rule that does something else instead. Only then are the rows of a batch
 * looked at again, so that a table without any costs nothing.
 */
import { type CatalogueTable } from '../../datamap/catalogue.js';
import { type SqlRunner } from '../../database/unit-of-work.js';

// 8: DELETE, 16: UPDATE, in pg_trigger.tgtype; partitions and heirs have triggers of their own.
const UNDOERS = `
  with recursive family (oid) as (
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
    union select i.inhrelid from pg_inherits i join family f on f.oid = i.inhparent)
  select exists (select from pg_trigger t join family f on f.oid = t.tgrelid
                  where not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype & $3::int <> 0)
      or exists (select from pg_rewrite w join family f on f.oid = w.ev_class
                  where w.ev_enabled <> 'D' and w.ev_type::text = $4)
      or exists (select from pg_class c join family f on f.oid = c.oid where c.relkind = 'v') as may`;

/** Reads the catalogue only, which every role may. What lies behind a view nobody knows, so it may always. */
export async function mayBeUndone(
  db: SqlRunner,
  { schema, name }: CatalogueTable,
  deletes: boolean,
): Promise<boolean> {
  const [found] = await db.query<{ may: boolean }>(UNDOERS, [
    schema,
    name,
    deletes ? 8 : 16,
    deletes ? '4' : '2',
  ]);
  return found?.may ?? false;
}
