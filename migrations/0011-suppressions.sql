-- Memory without the person: a keyed hash of each identifier of somebody who was erased, so that an import can ask
-- before it brings them back. The hash is keyed by tenant too: the same mail in two workspaces cannot be linked.
-- An account's erasure is remembered by the host's tenant and holds for every workspace; a check steps into that
-- tenant for one look-up by hash, so no policy needs to open it.
create table habeas.suppressions (
  tenant_id  uuid not null,
  digest     bytea not null check (length(digest) = 32),
  kind       text not null,             -- of the data map
  since      timestamptz not null,
  erasure_id uuid not null,
  primary key (tenant_id, digest, kind)
);
alter table habeas.suppressions enable row level security;
alter table habeas.suppressions force row level security;
create policy own on habeas.suppressions to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update, delete on habeas.suppressions to habeas_app;
