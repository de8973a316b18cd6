-- A tombstone that a hold or somebody else's row keeps is not late: it is told apart from one that is.
grant select (failure) on habeas.tombstones to habeas_sweep;   -- a code
drop index habeas.tombstones_oldest;
create index tombstones_oldest on habeas.tombstones (due_at)
  where swept_at is null and (failure is null or failure not in ('tombstone.held', 'tombstone.in_use'));
create index tombstones_waiting on habeas.tombstones (due_at)
  where swept_at is null and failure in ('tombstone.held', 'tombstone.in_use');
