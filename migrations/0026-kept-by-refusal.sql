-- A refusal may keep one collection of a part; the rest of the part goes.
alter table habeas.request_refusals add column collection text;
alter table habeas.request_refusals add check (collection is null or part_tenant_id is not null);
