-- Whose a noted row is, as the place in the job's list of subjects: a tombstone gets that one's pseudonym. Null where
-- nothing of a person is written.
alter table habeas.erasure_rows add column subject integer;

-- Foreign keys of other people's rows that pointed at what is gone, and that their ON DELETE SET NULL (or DEFAULT) has
-- cleared: the row itself stays as it was (docs/decisions/0008).
alter table habeas.erasure_steps add column pointers_cleared bigint not null default 0;
-- Shared rows that stay for others, out of which the person has been taken.
alter table habeas.erasure_steps add column let_go bigint not null default 0;
