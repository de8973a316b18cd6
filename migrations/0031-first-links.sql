-- A request that waits for its first link is looked at by every sweep, not only when it is a day old.
create policy sweep on habeas.request_verifications for select to habeas_sweep using (true);
grant select (request_id) on habeas.request_verifications to habeas_sweep;
