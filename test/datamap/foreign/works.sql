-- A grown system as found in the wild: composite integer keys, mixed case, reserved words, spaces in names,
-- partitions, views, a policy that hides rows, two people in one row.
create schema "Works";
create table "Works"."Company" (
  "No" integer primary key,
  "Title" varchar(80) not null
);
create table "Works"."User" (
  "CompanyNo" integer not null references "Works"."Company",
  "UserNo" smallint not null,
  "E-Mail" varchar(120) not null,
  "First Name" text,
  "Last Name" text,
  "Rank" char(6) not null,
  "group" text,
  "Pass" text,
  primary key ("CompanyNo", "UserNo")
);
create table "Works"."order" (
  company_no integer not null,
  no integer not null,
  buyer_no smallint,
  approver_no smallint,
  total money,
  "select" text,
  primary key (company_no, no),
  foreign key (company_no, buyer_no) references "Works"."User",
  foreign key (company_no, approver_no) references "Works"."User"
);
create index on "Works"."order" (company_no, buyer_no);
create table "Works".order_note (
  company_no integer not null,
  order_no integer not null,
  seq integer not null,
  body text not null,
  scan bytea,
  primary key (company_no, order_no, seq),
  foreign key (company_no, order_no) references "Works"."order" on delete cascade
);
create table "Works"."LogEntry" (
  id bigint not null,
  at timestamptz not null,
  company_no integer,
  user_no smallint,
  line text,
  primary key (id, at)
) partition by range (at);
create table "Works"."LogEntry_2025" partition of "Works"."LogEntry" for values from ('2025-01-01') to ('2026-01-01');
create table "Works"."LogEntry_2026" partition of "Works"."LogEntry" for values from ('2026-01-01') to ('2027-01-01');
create index on "Works"."LogEntry" (company_no, user_no);
create view "Works"."Staff Directory" as
  select "CompanyNo", "UserNo", "E-Mail" as mail, upper("Last Name") as shout from "Works"."User";
create table "Works".badge (
  code char(8) primary key,
  company_no integer not null,
  user_no smallint not null,
  unlocked boolean not null default false
);
alter table "Works".badge enable row level security;
alter table "Works".badge force row level security;
create table "Works".currency (code text primary key, rate numeric);

insert into "Works"."Company" values (1, 'Alpha GmbH'), (2, 'Beta''s "Works"');
insert into "Works"."User" values
  (1, 1, 'Ada@Alpha.example', 'Ada', 'Ärmel', 'BOSS', 'a', 'x1'),
  (1, 2, 'bob@alpha.example', 'Bob', null, 'STAFF', null, 'x2'),
  (2, 1, 'ada@alpha.example ', 'Ada', 'Beta', 'STAFF', null, 'x3'),
  (2, 2, 'zoë@beta.example', 'Zoë', 'Z', 'LEFT', null, 'x4');
insert into "Works"."order" values
  (1, 10, 1, 2, 12.50, 'a'), (1, 11, 2, 1, 99, E'quote " and\nnewline'), (2, 10, 1, null, 1, null), (2, 11, null, 1, 2, null);
insert into "Works".order_note values
  (1, 10, 1, 'for ada', '\x00ff10'), (1, 11, 1, 'for bob', null), (2, 10, 1, 'for the other ada', null);
insert into "Works"."LogEntry" values
  (1, '2025-05-05Z', 1, 1, 'in'), (2, '2026-05-05Z', 1, 1, 'out'), (3, '2026-06-05Z', 1, 2, 'in'), (4, '2026-06-06Z', 2, 1, 'in');
insert into "Works".badge values ('A1', 1, 1), ('A2', 1, 2), ('B1', 2, 1);
