-- A legal reason to keep: nothing it covers is erased until it is released. It may have to stay secret.
create table habeas.holds (
  id           uuid primary key default gen_random_uuid(),
  tenant_id    uuid not null,
  subject_kind text,                -- null with subject_key: the whole workspace
  subject_key  text,
  collection   text,                -- null: all collections
  ground       text not null,
  details_sealed bytea,
  disclosable  boolean not null default false,
  review_on    date not null,       -- a hold that nobody looks at again is forgotten, not legal
  placed_by    text not null,
  placed_at    timestamptz not null,
  released_by  text,
  released_at  timestamptz,
  check ((subject_kind is null) = (subject_key is null)),
  check ((released_at is null) = (released_by is null))
);
create index holds_in_force on habeas.holds (tenant_id, subject_kind, subject_key) where released_at is null;
create index holds_listing on habeas.holds (tenant_id, placed_at desc, id);
alter table habeas.holds enable row level security;
alter table habeas.holds force row level security;
create policy own on habeas.holds to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update on habeas.holds to habeas_app;
