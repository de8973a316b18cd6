-- Filing never waits for the host's tables. Where they could not be read (drift), the parts are opened before the run.
alter table habeas.requests add column parts_opened boolean not null default true;
