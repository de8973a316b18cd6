-- Foreign keys, indexes and policies of Atelier, after the rows: one set-based check per key, instead of
-- one look-up per row and key, which would double the time of the load.

set local role atelier_owner;

alter table atelier.workspaces
  add foreign key (plan_code) references atelier.plans;
alter table atelier.memberships
  add foreign key (workspace_id) references atelier.workspaces on delete cascade,
  add foreign key (user_id) references atelier.users on delete cascade,
  add foreign key (invited_by) references atelier.users;
alter table atelier.customers
  add foreign key (workspace_id) references atelier.workspaces;
alter table atelier.workrooms
  add foreign key (workspace_id) references atelier.workspaces,
  add foreign key (owner_id) references atelier.users;
alter table atelier.messages
  add foreign key (workroom_id) references atelier.workrooms on delete cascade,
  add foreign key (workspace_id) references atelier.workspaces,
  add foreign key (author_id) references atelier.users,
  add foreign key (customer_id) references atelier.customers;
alter table atelier.attachments
  add foreign key (message_id) references atelier.messages;
alter table atelier.workroom_invitations
  add foreign key (workroom_id) references atelier.workrooms on delete cascade,
  add foreign key (invited_by) references atelier.users,
  add foreign key (invited_user) references atelier.users;
alter table atelier.integrations
  add foreign key (workspace_id) references atelier.workspaces,
  add foreign key (connected_by) references atelier.users;
alter table atelier.invoices
  add foreign key (workspace_id) references atelier.workspaces on delete set null,
  add foreign key (billed_user_id) references atelier.users;

create unique index on atelier.users (lower(email));
create unique index on atelier.customers (workspace_id, lower(email));
create index on atelier.workspaces (plan_code);
create index on atelier.memberships (user_id);
create index on atelier.memberships (invited_by);
create index on atelier.customers (lower(email));
create index on atelier.workrooms (workspace_id);
create index on atelier.workrooms (owner_id);
-- With the author, so that the rooms somebody wrote in are found without reading every message in them.
create index on atelier.messages (workroom_id, author_id);
-- With the id, so that walking one person's or one workspace's messages in key order needs no sort.
create index on atelier.messages (author_id, id) where author_id is not null;
create index on atelier.messages (customer_id, id) where customer_id is not null;
create index on atelier.messages (workspace_id, id);
create index on atelier.messages (reply_to) where reply_to is not null;
create index on atelier.messages using gin (mentioned) where mentioned is not null;
create index on atelier.attachments (message_id);
create index on atelier.workroom_invitations (workroom_id);
create index on atelier.workroom_invitations (invited_by);
create index on atelier.workroom_invitations (invited_user);
create index on atelier.workroom_invitations (lower(invited_email));
create index on atelier.integrations (workspace_id);
create index on atelier.integrations (connected_by);
create index on atelier.invoices (workspace_id);
create index on atelier.invoices (billed_user_id);

create function atelier.uid() returns uuid
language sql stable
set search_path = ''
as $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;

-- SECURITY DEFINER, because a policy on memberships that reads memberships would call itself for ever.
create function atelier.my_workspaces() returns setof uuid
language sql stable security definer
set search_path = ''
as $$ select workspace_id from atelier.memberships where user_id = atelier.uid() $$;

alter table atelier.workspaces enable row level security;
alter table atelier.users enable row level security;
alter table atelier.memberships enable row level security;
alter table atelier.customers enable row level security;
alter table atelier.workrooms enable row level security;
alter table atelier.messages enable row level security;
alter table atelier.attachments enable row level security;
alter table atelier.workroom_invitations enable row level security;
alter table atelier.integrations enable row level security;
alter table atelier.invoices enable row level security;

create policy members on atelier.workspaces for select
  using (id in (select atelier.my_workspaces()));
create policy colleagues on atelier.users for select
  using (id in (select user_id from atelier.memberships where workspace_id in (select atelier.my_workspaces())));
create policy self on atelier.users for update
  using (id = (select atelier.uid()));
create policy members on atelier.memberships for select
  using (workspace_id in (select atelier.my_workspaces()));
create policy members on atelier.customers
  using (workspace_id in (select atelier.my_workspaces()));
create policy members on atelier.workrooms
  using (workspace_id in (select atelier.my_workspaces()));
create policy members on atelier.messages for select
  using (workspace_id in (select atelier.my_workspaces()));
create policy author on atelier.messages for insert
  with check (author_id = (select atelier.uid()) and workspace_id in (select atelier.my_workspaces()));
create policy members on atelier.attachments for select
  using (message_id in (select id from atelier.messages));
create policy members on atelier.workroom_invitations for select
  using (workroom_id in (select id from atelier.workrooms));
create policy connector on atelier.integrations
  using (connected_by = (select atelier.uid()));
create policy billed on atelier.invoices for select
  using (billed_user_id = (select atelier.uid()));

reset role;
