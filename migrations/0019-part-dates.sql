-- A part's tenant cannot look at the request that runs elsewhere: when it ended, and in which zone its days are
-- counted, are told to it like its status and its date.
alter table habeas.request_parts
  add column zone text not null default 'UTC',
  add column closed_at timestamptz;

update habeas.request_parts p set zone = r.zone, closed_at = r.closed_at
from habeas.requests r where r.id = p.request_id;
