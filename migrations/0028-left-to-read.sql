-- What an erasure leaves to be read about it: names of tables and counts, nobody.
alter table habeas.erasure_steps add column stays bigint not null default 0;   -- shared rows, while others are left in them
alter table habeas.erasures add column mentions jsonb;                         -- [{schema, table, column, kind, rows}]

-- What a person filed in Settings and has not proven yet has no subjects: it is theirs because they filed it. Arrays,
-- so that both policies are looked up by index.
alter policy self on habeas.requests
  using (id = any (array(select request_id from habeas.request_subjects)));
create policy self_filed on habeas.requests for select to habeas_self
  using (identity_proven_at is null and channel = 'settings'
         and filed_by = any (array(select pseudonym::text from habeas.pseudonyms)));
grant select (filed_by, identity_proven_at) on habeas.requests to habeas_self;
create index requests_unproven_by_filer on habeas.requests (filed_by)
  where identity_proven_at is null and channel = 'settings';
