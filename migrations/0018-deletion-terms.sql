-- When a deletion may begin: after the time in which the person may change their mind, and, unless they do without,
-- after a package of theirs has been fetched.
alter table habeas.requests
  add column cooling_off text,          -- ISO 8601 duration as filed; null: COOLING_OFF
  add column run_after timestamptz,     -- set once identity is proven
  add column waives_access_lock boolean not null default false;
grant select (run_after) on habeas.requests to habeas_sweep;

-- Whether a package of the person is open, wherever it was asked for.
create policy self on habeas.packages for select to habeas_self
  using (job_id in (select request_id from habeas.request_subjects));
grant select (id, job_id, status, expires_at) on habeas.packages to habeas_self;
create policy self on habeas.package_links for select to habeas_self
  using (package_id in (select id from habeas.packages));
grant select (package_id, expires_at, revoked_at, downloads) on habeas.package_links to habeas_self;

-- What an erasure leaves behind: its proof. From `forgotten_at` on no event of the matter names its people any more.
alter table habeas.erasures
  add column forgotten_at timestamptz,
  add column certificate jsonb;
